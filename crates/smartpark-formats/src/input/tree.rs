//! Elements with a name, a text and children: what Hikvision sends as XML and as JSON.

use super::{
    json::Json,
    refusal::{NotCounted, Reason},
    xml,
};

/// One element. Names carry no namespace prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Tree>,
}

impl Tree {
    /// Reads XML or JSON, whichever the first character says.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, NotCounted> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            Some(b'{') => Ok(Self::from_json(Json::parse(body)?)),
            Some(b'<' | 0xEF) => xml::parse(body),
            _ => Err(NotCounted::new(Reason::Unreadable, "neither XML nor JSON")),
        }
    }

    fn from_json(json: Json<'_>) -> Self {
        let mut root = Self::default();
        root.adopt(json);
        root
    }

    fn adopt(&mut self, json: Json<'_>) {
        if let Some(object) = json.object() {
            for (name, value) in object.members() {
                self.adopt_member(name, value);
            }
        } else if let Some(scalar) = json.scalar() {
            self.text = scalar.into_owned();
        }
    }

    /// An array becomes as many elements of the same name.
    fn adopt_member(&mut self, name: &str, value: Json<'_>) {
        for value in value.list().unwrap_or_else(|| vec![value]) {
            let mut child = Self { name: name.to_owned(), ..Self::default() };
            child.adopt(value);
            self.children.push(child);
        }
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name, trimmed; `None` if it is absent or empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The attribute of this name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first element of this name, at any depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// Every element, at any depth, that `wanted` accepts, in document order.
    pub(crate) fn find_all<'a>(
        &'a self,
        wanted: &impl Fn(&Self) -> bool,
        into: &mut Vec<&'a Self>,
    ) {
        if wanted(self) {
            into.push(self);
        }
        for child in &self.children {
            child.find_all(wanted, into);
        }
    }
}
