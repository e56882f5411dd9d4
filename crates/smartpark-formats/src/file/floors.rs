//! Which floor a row means: by id, by name, or by both.

use std::collections::HashMap;

use smartpark_core::intake::{Scalar, folded_name};

/// What decides if a row has both the id and the name of a floor, and they disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloorKey {
    /// The id.
    Id,
    /// The name.
    Name,
}

impl std::str::FromStr for FloorKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "id" => Ok(Self::Id),
            "name" => Ok(Self::Name),
            _ => Err("must be id or name"),
        }
    }
}

/// The name under which a floor stands by its id.
const ID: &str = "floorid";

/// Floors by name.
#[derive(Clone, Debug, Default)]
pub struct FloorNames {
    exact: HashMap<String, i64>,
    /// By the name in small letters and composed characters; 0 if two floors have it.
    folded: HashMap<String, i64>,
}

impl FloorNames {
    /// Floors by their names.
    pub fn of(floors: impl IntoIterator<Item = (String, i64)>) -> Self {
        let mut names = Self::default();
        for (name, id) in floors {
            let same = names.folded.entry(folded_name(&name).to_lowercase()).or_insert(id);
            if *same != id {
                *same = 0;
            }
            names.exact.insert(name, id);
        }
        names
    }

    /// The floor with this name: exactly, or else the only one whose name is the same but for
    /// case, blanks around it and the way in which accents are written.
    fn named(&self, text: &str) -> Option<i64> {
        let exact = self.exact.get(text).or_else(|| self.exact.get(text.trim())).copied();
        exact.or_else(|| {
            let only = self.folded.get(&folded_name(text).to_lowercase()).copied();
            only.filter(|&id| id >= 1)
        })
    }

    /// The id of the floor with this name, or else the id that the text is. In a column that is
    /// called an id it is the other way round, whatever other floors are called.
    #[must_use]
    pub fn id(&self, column: &str, text: &str) -> Option<i64> {
        let by_name = || self.named(text);
        let by_id = || text.trim().parse().ok().filter(|&id: &i64| id >= 1);
        if crate::words::squeezed(column) == ID {
            by_id().or_else(by_name)
        } else {
            by_name().or_else(by_id)
        }
    }

    /// The floor of a row. `key` decides between an id and a name that disagree; without it the
    /// row is refused. `None` if the row has neither.
    ///
    /// # Errors
    /// What is wrong with the floor.
    pub(super) fn of_row<'a>(
        &self,
        id: Option<(&str, Scalar<'a>)>,
        name: Option<(&str, Scalar<'a>)>,
        key: Option<FloorKey>,
    ) -> Result<Option<Scalar<'a>>, &'static str> {
        match (id, name, key) {
            (Some(one), None, _) | (None, Some(one), _) => self.scalar(one).map(Some),
            (None, None, _) => Ok(None),
            (Some(id), Some(_), Some(FloorKey::Id)) => self.scalar(id).map(Some),
            (Some(_), Some(name), Some(FloorKey::Name)) => self.scalar(name).map(Some),
            (Some(id), Some(name), None) => {
                let (id, name) = (self.scalar(id)?, self.scalar(name)?);
                if id == name { Ok(Some(id)) } else { Err(DISAGREE) }
            }
        }
    }

    fn scalar<'a>(&self, (column, value): (&str, Scalar<'a>)) -> Result<Scalar<'a>, &'static str> {
        let Scalar::Text(text) = &value else { return Ok(value) };
        self.id(column, text).map(Scalar::Int).ok_or("names no floor")
    }
}

const DISAGREE: &str = "id and name are of different floors here; if the file comes from another \
    site, --floor-by name lets the name decide";
