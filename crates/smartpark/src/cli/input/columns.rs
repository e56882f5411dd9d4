//! Which column of a file holds which field.

/// A field that is looked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Wanted {
    /// Its name, as `--map` takes it.
    pub(in crate::cli) field: &'static str,
    /// Names of columns that are recognised without a map, the first one first.
    pub(in crate::cli) names: &'static [&'static str],
    /// Whether there is no going on without it.
    pub(in crate::cli) is_required: bool,
}

/// `FIELD=COLUMN`, as `--map` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Mapping {
    field: String,
    column: String,
}

impl std::str::FromStr for Mapping {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=');
        let parts = parts.filter(|(field, column)| !field.is_empty() && !column.is_empty());
        let (field, column) = parts.ok_or("must be FIELD=COLUMN, for example floor=level")?;
        Ok(Self { field: field.to_owned(), column: column.to_owned() })
    }
}

/// The names of the columns for each of the wanted fields, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Columns<const N: usize> {
    fields: [&'static str; N],
    /// Column names in order of preference; one only where it was mapped.
    names: [Vec<String>; N],
    is_needed: [bool; N],
}

impl<const N: usize> Columns<N> {
    /// The wanted fields under the names that `maps` gives them.
    ///
    /// # Errors
    /// Names a mapped field that is none of the wanted, or is mapped twice.
    pub(in crate::cli) fn new(wanted: &[Wanted; N], maps: &[Mapping]) -> Result<Self, String> {
        let mut columns = Self {
            fields: wanted.map(|it| it.field),
            names: wanted.map(|it| it.names.iter().map(|&name| name.to_owned()).collect()),
            is_needed: wanted.map(|it| it.is_required),
        };
        let mut mapped = [false; N];
        for map in maps {
            // "floor_id" says the same as "floor": every recognised name does.
            let place = wanted
                .iter()
                .position(|it| it.field == map.field || it.names.contains(&map.field.as_str()));
            let Some(place) = place else {
                let fields = columns.fields.join(", ");
                return Err(format!("--map knows the fields {fields}, not {:?}", map.field));
            };
            if std::mem::replace(&mut mapped[place], true) {
                return Err(format!("--map names {} twice", columns.fields[place]));
            }
            columns.names[place] = vec![map.column.clone()];
            // Who maps a column wants it to be there.
            columns.is_needed[place] = true;
        }
        Ok(columns)
    }

    /// The place in `header` of each field.
    ///
    /// # Errors
    /// Names every field without which there is no going on and that has no column, and columns
    /// that stand there twice.
    pub(in crate::cli) fn locate(&self, header: &[&str]) -> Result<[Option<usize>; N], String> {
        let mut places = [None; N];
        let (mut missing, mut twice) = (Vec::new(), Vec::new());
        for (field, place) in places.iter_mut().enumerate() {
            let found = self.names[field].iter().find_map(|name| {
                let is_it = |column: &&str| column.trim().eq_ignore_ascii_case(name);
                let first = header.iter().position(&is_it)?;
                Some((name, first, header[first + 1..].iter().any(is_it)))
            });
            match found {
                Some((name, _, true)) => twice.push(name.as_str()),
                Some((_, first, false)) => *place = Some(first),
                None if self.is_needed[field] => missing.push(self.described(field)),
                None => {}
            }
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(format!(
                "no column for {missing}; --map FIELD=COLUMN names another column"
            ));
        }
        if !twice.is_empty() {
            return Err(format!("the header names {} twice", twice.join(", ")));
        }
        Ok(places)
    }

    /// The names under which a field may stand, in order of preference.
    pub(in crate::cli) fn names(&self, field: usize) -> &[String] {
        &self.names[field]
    }

    fn described(&self, field: usize) -> String {
        match self.names[field].as_slice() {
            [name] if name != self.fields[field] => {
                format!("{} (mapped to {name})", self.fields[field])
            }
            _ => self.fields[field].to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [Wanted; 3] = [
        Wanted { field: "camera_id", names: &["camera_id"], is_required: true },
        Wanted {
            field: "floor",
            names: &["floor_id", "floor", "floor_id_or_name"],
            is_required: true,
        },
        Wanted { field: "confidence", names: &["confidence"], is_required: false },
    ];

    fn located(maps: &[&str], header: &str) -> Result<[Option<usize>; 3], String> {
        let maps: Vec<Mapping> = maps.iter().map(|map| map.parse().unwrap()).collect();
        let header: Vec<&str> = header.split(',').collect();
        Columns::new(&WANTED, &maps)?.locate(&header)
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let found = located(&[], "x,floor, Camera_ID ,confidence");
        assert_eq!(found, Ok([Some(2), Some(1), Some(3)]));
        assert_eq!(located(&[], "floor,camera_id,floor_id"), Ok([Some(1), Some(2), None]));
        let mapped = located(&["floor_id=level"], "camera_id,floor,level");
        assert_eq!(mapped, Ok([Some(0), Some(2), None]));
    }

    #[test]
    fn what_is_missing_is_named_all_at_once() {
        let told = located(&[], "a,b").unwrap_err();
        assert!(told.contains("camera_id, floor;"), "{told}");
        let told = located(&["floor=level"], "camera_id,floor").unwrap_err();
        assert!(told.contains("floor (mapped to level)"), "{told}");
        let told = located(&["confidence=sure"], "camera_id,floor").unwrap_err();
        assert!(told.contains("confidence (mapped to sure)"), "{told}");
    }

    #[test]
    fn what_is_said_twice_is_refused() {
        assert!(located(&[], "camera_id,floor,camera_id").unwrap_err().contains("camera_id"));
        assert!(located(&["floor=a", "floor_id=b"], "a,b").unwrap_err().contains("twice"));
        assert!(located(&["speed=a"], "a").unwrap_err().contains("knows the fields"));
        assert!("floor".parse::<Mapping>().is_err() && "=a".parse::<Mapping>().is_err());
    }
}
