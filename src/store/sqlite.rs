//! stub
use super::*;
#[derive(Clone, Debug)]
pub(crate) struct Sqlite {}
impl Sqlite {
    pub(crate) async fn create_tables(&self) -> Result<()> {
        unimplemented!()
    }
    pub(crate) async fn check_tables_exist(&self) -> Result<bool> {
        unimplemented!()
    }
    pub(crate) async fn table_info(&self) -> Result<Vec<TableInfo>> {
        unimplemented!()
    }
    pub(crate) async fn database_stats(&self) -> Result<DatabaseStats> {
        unimplemented!()
    }
    pub(crate) async fn floors(&self) -> Result<Vec<Floor>> {
        unimplemented!()
    }
    pub(crate) async fn floor_by_id(&self, _id: i64) -> Result<Option<Floor>> {
        unimplemented!()
    }
    pub(crate) async fn floor_by_name(&self, _name: &str) -> Result<Option<Floor>> {
        unimplemented!()
    }
    pub(crate) async fn add_floor(&self, _floor: NewFloor) -> Result<Floor> {
        unimplemented!()
    }
    pub(crate) async fn change_floor(&self, _id: i64, _change: FloorChange) -> Result<Floor> {
        unimplemented!()
    }
    pub(crate) async fn remove_floor(&self, _id: i64) -> Result<()> {
        unimplemented!()
    }
    pub(crate) async fn recount(
        &self,
        _id: i64,
        _count: i64,
        _reason: String,
        _author: Option<String>,
    ) -> Result<Floor> {
        unimplemented!()
    }
    pub(crate) async fn adjust(&self, _id: i64, _direction: Direction) -> Result<Floor> {
        unimplemented!()
    }
    pub(crate) async fn counts_at(&self, _at: Timestamp) -> Result<Vec<FloorCount>> {
        unimplemented!()
    }
    pub(crate) async fn record(
        &self,
        _events: Vec<Result<NewEvent>>,
    ) -> Result<Vec<Result<Recorded>>> {
        unimplemented!()
    }
    pub(crate) async fn event_by_id(&self, _id: i64) -> Result<Option<Event>> {
        unimplemented!()
    }
    pub(crate) async fn events(
        &self,
        _filter: EventFilter,
        _limit: u32,
        _cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        unimplemented!()
    }
    pub(crate) async fn statistics(
        &self,
        _start: Timestamp,
        _end: Timestamp,
        _floor_id: Option<i64>,
    ) -> Result<Statistics> {
        unimplemented!()
    }
    pub(crate) async fn cleanup(&self, _horizon: Timestamp) -> Result<Cleanup> {
        unimplemented!()
    }
    pub(crate) async fn fill(
        &self,
        _floors: Vec<NewFloor>,
        _empty_first: bool,
    ) -> Result<Vec<Floor>> {
        unimplemented!()
    }
    pub(crate) async fn check(&self, _repair: bool) -> Result<Report> {
        unimplemented!()
    }
    pub(crate) async fn ready(&self) -> Result<()> {
        unimplemented!()
    }
    pub(crate) async fn failed(&self) -> Error {
        unimplemented!()
    }
    pub(crate) async fn close(&self) -> () {
        unimplemented!()
    }
    pub(crate) async fn create(_p: &str, _o: &Arc<Options>) -> Result<Self> {
        unimplemented!()
    }
    pub(crate) async fn connect(_p: &str, _o: &Arc<Options>) -> Result<Self> {
        unimplemented!()
    }
    pub(crate) fn lock_as_server(&self) -> Result<ServerLock> {
        unimplemented!()
    }
}
