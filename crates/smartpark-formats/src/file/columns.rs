//! Which column of a table holds which field.

use crate::words::squeezed;

/// A field that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Its name, as `--map` and `--set` take it.
    pub field: &'static str,
    /// Names of columns that are recognised without a map, the first one first. They are compared
    /// in any case and without blanks, hyphens and underscores.
    pub names: &'static [&'static str],
    /// Whether a table needs it.
    pub is_required: bool,
    /// Another field that may stand in its place.
    pub or: Option<&'static str>,
}

/// `FIELD=COLUMN`, as `--map` takes it. `COLUMN+COLUMN` names two columns of one field, such as a
/// date and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    field: String,
    column: String,
}

impl std::str::FromStr for Mapping {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, column) = pair(text).ok_or("must be FIELD=COLUMN, for example floor=level")?;
        Ok(Self { field, column })
    }
}

/// `FIELD=VALUE`, as `--set` takes it: a value for all rows of a table without such a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    field: String,
    value: String,
}

impl std::str::FromStr for Constant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, value) =
            pair(text).ok_or("must be FIELD=VALUE, for example floor=\"Level 1\"")?;
        Ok(Self { field, value })
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    let (field, other) = text.split_once('=')?;
    let is_whole = !field.trim().is_empty() && !other.trim().is_empty();
    is_whole.then(|| (field.trim().to_owned(), other.to_owned()))
}

/// Where a field stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of its cell, from 0.
    pub cell: usize,
    /// The cell of its second part, if the map names two columns.
    pub second: Option<usize>,
}

/// What a line is, as a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located<const N: usize> {
    /// It names every field that is needed.
    All([Option<Place>; N]),
    /// It names so many of the fields, and not these.
    Some(usize, Vec<String>),
    /// It names something twice, or a field that `--set` gives.
    Faulty(String),
}

/// The names of the columns for each of the wanted fields, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns<const N: usize> {
    fields: [&'static str; N],
    /// Column names in order of preference; one only if it is mapped.
    names: [Vec<String>; N],
    is_needed: [bool; N],
    or: [Option<usize>; N],
    constants: [Option<String>; N],
}

impl<const N: usize> Columns<N> {
    /// The wanted fields under the names that `maps` gives them, and with the values of `sets`.
    ///
    /// # Errors
    /// Names a field that is none of the wanted, or is named twice.
    pub fn new(wanted: &[Wanted; N], maps: &[Mapping], sets: &[Constant]) -> Result<Self, String> {
        let position = |field| wanted.iter().position(|it| it.field == field);
        let mut columns = Self {
            fields: wanted.map(|it| it.field),
            names: wanted.map(|it| it.names.iter().map(|&name| name.to_owned()).collect()),
            is_needed: wanted.map(|it| it.is_required),
            or: wanted.map(|it| it.or.and_then(position)),
            constants: [const { None }; N],
        };
        let mut told = [false; N];
        for map in maps {
            let place = columns.take(wanted, "--map", &map.field, &mut told)?;
            columns.names[place] = vec![map.column.clone()];
            // A column that is mapped must be there.
            columns.is_needed[place] = true;
        }
        for set in sets {
            let place = columns.take(wanted, "--set", &set.field, &mut told)?;
            columns.constants[place] = Some(set.value.clone());
        }
        // A field that is told takes the place of the one that could stand in its place.
        for place in 0..N {
            if told[place]
                && let Some(other) = columns.or[place]
                && !told[other]
            {
                columns.is_needed[other] = false;
                columns.names[other].clear();
            }
        }
        Ok(columns)
    }

    fn take(
        &self,
        wanted: &[Wanted; N],
        option: &str,
        field: &str,
        told: &mut [bool; N],
    ) -> Result<usize, String> {
        let place = wanted
            .iter()
            .position(|it| it.field == field)
            .or_else(|| wanted.iter().position(|it| it.names.contains(&field)));
        let Some(place) = place else {
            let fields = self.fields.join(", ");
            return Err(format!("{option} knows the fields {fields}, not {field:?}"));
        };
        if std::mem::replace(&mut told[place], true) {
            return Err(format!("--map or --set names {} twice", self.fields[place]));
        }
        Ok(place)
    }

    /// What a line with these cells is, as a header.
    #[must_use]
    pub fn locate(&self, header: &[&str]) -> Located<N> {
        let mut places = [None; N];
        let (mut found, mut is_twice) = (0, [false; N]);
        let (mut twice, mut given) = (Vec::new(), Vec::new());
        for (field, place) in places.iter_mut().enumerate() {
            match self.find(field, header) {
                Err(name) => {
                    is_twice[field] = true;
                    twice.push(name);
                }
                Ok(Some(_)) if self.constants[field].is_some() => given.push(self.fields[field]),
                Ok(at) => *place = at,
            }
            found += usize::from(place.is_some() || is_twice[field]);
        }
        let is_there = |field: usize| {
            places[field].is_some() || is_twice[field] || self.constants[field].is_some()
        };
        let is_missing = |field: &usize| {
            let stands_in = self.or[*field].is_some_and(is_there);
            self.is_needed[*field] && !is_there(*field) && !stands_in
        };
        let missing: Vec<String> =
            (0..N).filter(is_missing).map(|field| self.described(field)).collect();
        if !missing.is_empty() || found == 0 {
            return Located::Some(found, missing);
        }
        if !twice.is_empty() {
            return Located::Faulty(format!("the header names {} twice", twice.join(", ")));
        }
        if !given.is_empty() {
            let given = given.join(", ");
            return Located::Faulty(format!("--set {given}: the file has such a column"));
        }
        Located::All(places)
    }

    /// The place of a field; an error with the column's name if two columns have it.
    fn find(&self, field: usize, header: &[&str]) -> Result<Option<Place>, String> {
        for name in &self.names[field] {
            let wanted = squeezed(name);
            let mut places = (0..header.len()).filter(|&cell| squeezed(header[cell]) == wanted);
            if let Some(cell) = places.next() {
                if places.next().is_some() {
                    return Err(name.clone());
                }
                return Ok(Some(Place { cell, second: None }));
            }
            if let Some((one, other)) = name.split_once('+') {
                let cell =
                    |part: &str| header.iter().position(|cell| squeezed(cell) == squeezed(part));
                if let (Some(first), second @ Some(_)) = (cell(one), cell(other)) {
                    return Ok(Some(Place { cell: first, second }));
                }
            }
        }
        Ok(None)
    }

    /// The names under which a field may stand, in order of preference.
    #[must_use]
    pub fn names(&self, field: usize) -> &[String] {
        &self.names[field]
    }

    /// The value of a field that the table does not have.
    #[must_use]
    pub fn constant(&self, field: usize) -> Option<&str> {
        self.constants[field].as_deref()
    }

    fn described(&self, field: usize) -> String {
        match self.names[field].as_slice() {
            [name] if squeezed(name) != squeezed(self.fields[field]) => {
                format!("{} (mapped to {name})", self.fields[field])
            }
            _ => self.fields[field].to_owned(),
        }
    }
}
