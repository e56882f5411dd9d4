//! The cells of one record of a table (RFC 4180), whatever stands between them.

/// The cells of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    /// The cells of one whole line; `None` if a quote is still open at its end.
    #[must_use]
    pub fn of_line(line: &str, separator: char) -> Option<Self> {
        let mut cells = Self::default();
        (!cells.add(line, separator, false)).then_some(cells)
    }

    /// The cell at a place, if the record is that long.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing stands in any of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// How many bytes of text they hold.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Adds the text of one line; returns whether a quote is still open at its end.
    pub fn add(&mut self, line: &str, separator: char, mut in_quotes: bool) -> bool {
        let mut rest = line.chars().peekable();
        let mut at_start = !in_quotes;
        while let Some(c) = rest.next() {
            match c {
                '"' if in_quotes && rest.peek() == Some(&'"') => {
                    rest.next();
                    self.text.push('"');
                }
                '"' if in_quotes => in_quotes = false,
                '"' if at_start => in_quotes = true,
                other if other == separator && !in_quotes => {
                    self.end_cell();
                    at_start = true;
                    continue;
                }
                other => self.text.push(other),
            }
            at_start = false;
        }
        if in_quotes {
            self.text.push('\n');
        } else {
            self.end_cell();
        }
        in_quotes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, separator: char) -> Vec<String> {
        let cells = Cells::of_line(text, separator).unwrap();
        cells.iter().map(str::to_owned).collect()
    }

    #[test]
    fn cells_are_read_as_they_were_meant() {
        let table: [(&str, &[&str]); 7] = [
            ("a,b,c", &["a", "b", "c"]),
            ("a,,", &["a", "", ""]),
            (",", &["", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"say \"\"hi\"\"\",x", &["say \"hi\"", "x"]),
            ("a\"b,c", &["a\"b", "c"]),
            ("\"a\"b,\"\"", &["ab", ""]),
        ];
        for (text, expected) in table {
            for separator in [',', ';', '\t', '|'] {
                let text = text.replace(',', &separator.to_string());
                let expected: Vec<String> =
                    expected.iter().map(|it| it.replace(',', &separator.to_string())).collect();
                assert_eq!(cells(&text, separator), expected, "{text:?}");
            }
        }
        assert_eq!(Cells::of_line("a,\"b", ','), None);
        assert!(Cells::of_line(" ;;\t", ';').unwrap().is_empty());
    }
}
