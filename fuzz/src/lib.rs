//! What the fuzz targets share: what they expect, found by other means than the product's.

pub mod event;
pub mod instant;
pub mod problem;
pub mod query;

/// A text that stands in inputs of the corpus and of the dictionary where values are sent: no
/// answer may repeat it.
pub const SECRET: &str = "S3CRET";

/// The words of the contract.
pub const VEHICLE_TYPES: [&str; 4] = ["car", "motorcycle", "bus", "truck"];
/// The words of the contract.
pub const DIRECTIONS: [&str; 2] = ["entry", "exit"];

/// Whether it is the name of a camera or a track.
pub fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// The bytes in pieces, whose lengths follow from the bytes: so they differ from input to input,
/// and a find is repeated by its input alone.
pub fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let mut state = bytes
        .iter()
        .fold(bytes.len() as u32, |sum, byte| sum.wrapping_mul(16_777_619) ^ u32::from(*byte));
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 24) as usize % 23;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
