//! Rows that are read some at a time, in their order, however many there are.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Row, Statement, types::ToSql};

use super::connect::query;
use crate::{Result, limits::HISTORY_CHUNK_ROWS};

/// Reading begins at once: nothing is sorted as a whole, which would need a disk.
const AT_ONCE: &str = "-- streams: in the order of an index\nSET LOCAL cursor_tuple_fraction = 0";

/// What a cursor reads. The cursor ends with its transaction, or when the stream is closed.
pub(super) struct Stream<'c, T> {
    client: &'c ClientWrapper,
    cursor: &'static str,
    fetch: Statement,
    read: fn(&Row) -> Result<T>,
    rows: std::vec::IntoIter<Row>,
    is_last: bool,
    /// The next one, where it has been looked at.
    peeked: Option<T>,
}

impl<'c, T> Stream<'c, T> {
    /// Begins with the statement `declare`, which declares `cursor`. `client` stands in a
    /// transaction.
    pub(super) async fn begin(
        client: &'c ClientWrapper,
        (declare, cursor): (&'static str, &'static str),
        parameters: &[&(dyn ToSql + Sync)],
        read: fn(&Row) -> Result<T>,
    ) -> Result<Self> {
        // Both on their way before the first is answered; the server takes them in order.
        tokio::try_join!(
            biased;
            async { Ok(client.batch_execute(AT_ONCE).await?) },
            query(client, declare, parameters),
        )?;
        let fetch = format!("-- streams: some\nFETCH FORWARD {HISTORY_CHUNK_ROWS} FROM {cursor}");
        let fetch = client.prepare_cached(&fetch).await?;
        let rows = Vec::new().into_iter();
        Ok(Self { client, cursor, fetch, read, rows, is_last: false, peeked: None })
    }

    /// Takes the next one.
    pub(super) async fn next(&mut self) -> Result<Option<T>> {
        if let Some(peeked) = self.peeked.take() {
            return Ok(Some(peeked));
        }
        if self.rows.as_slice().is_empty() && !self.is_last {
            let rows = self.client.query(&self.fetch, &[]).await?;
            self.is_last = rows.len() < HISTORY_CHUNK_ROWS;
            self.rows = rows.into_iter();
        }
        self.rows.next().map(|row| (self.read)(&row)).transpose()
    }

    /// Looks at the next one.
    pub(super) async fn peek(&mut self) -> Result<Option<&T>> {
        self.peeked = self.next().await?;
        Ok(self.peeked.as_ref())
    }

    /// Takes the next one where it is wanted.
    pub(super) async fn next_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Result<Option<T>> {
        self.peek().await?;
        Ok(self.peeked.take_if(|next| wanted(next)))
    }

    /// Ends it: its cursor can be declared again.
    pub(super) async fn close(self) -> Result<()> {
        Ok(self.client.batch_execute(&format!("CLOSE {}", self.cursor)).await?)
    }
}
