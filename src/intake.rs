//! From the members of a JSON object or the cells of a table to a [`NewEvent`](crate::NewEvent).
