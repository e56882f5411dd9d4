//! XML of cameras, without document types and without entities other than the five of XML.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    refusal::{NotCounted, Reason},
    tree::Tree,
};
use crate::limits::MAX_DEPTH;

/// Reads one document into its root element.
pub(crate) fn parse(body: &[u8]) -> Result<Tree, NotCounted> {
    let text = std::str::from_utf8(body).map_err(|_| not_xml())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Tree> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| not_xml())? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    let detail = format!("nested deeper than {MAX_DEPTH} levels");
                    return Err(NotCounted::new(Reason::TooLarge, detail));
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                let element = element(&start)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(not_xml)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            Event::Text(text) => add(&mut open, &text),
            Event::CData(text) => add(&mut open, &text),
            Event::GeneralRef(reference) => {
                let character = resolve(&reference)?;
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&character);
                }
            }
            Event::DocType(_) => {
                let detail = "XML with a document type or entities is refused";
                return Err(NotCounted::new(Reason::Unreadable, detail));
            }
            Event::Eof => {
                return Err(NotCounted::new(Reason::Unreadable, "the XML ends too early"));
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn add(open: &mut [Tree], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>) -> Result<Tree, NotCounted> {
    let name = start.local_name().as_ref().to_owned();
    let mut tree = Tree { name, ..Tree::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| not_xml())?;
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| not_xml())?;
        let name = attribute.key.local_name().as_ref().to_owned();
        tree.attributes.push((name, value.into_owned()));
    }
    Ok(tree)
}

/// One of the five entities of XML or a character by its number.
fn resolve(reference: &BytesRef<'_>) -> Result<String, NotCounted> {
    let written = format!("&{};", &**reference);
    let resolved = quick_xml::escape::unescape(&written);
    let detail = "XML with a document type or entities is refused";
    resolved
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| NotCounted::new(Reason::Unreadable, detail))
}

fn not_xml() -> NotCounted {
    NotCounted::new(Reason::Unreadable, "not XML")
}
