//! SmartPark inside another program, once or as often as you like:
//! `cargo run -p smartpark-ledger --example embed`.

use smartpark_ledger::{Direction::Entry, NewEvent, NewFloor, SmartPark, VehicleType::Car};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let park = SmartPark::open("sqlite://embedded.db").await?;
    let floor = match park.floors().get_floor_by_name("Level 1").await? {
        Some(floor) => floor,
        None => park.floors().add_floor(NewFloor::new("Level 1", 50)).await?,
    };
    let seen = NewEvent::new("cam_001", floor.id, "t1", Car, Entry);
    let seen = seen.at("2026-02-12T10:30:45Z".parse()?);
    let recorded = park.events().record_event(seen).await?;
    println!("counted before: {}", recorded.duplicate);
    println!("free slots: {}", recorded.floor.available_slots());
    park.close().await;
    Ok(())
}
