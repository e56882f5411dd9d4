//! API keys: who may do what. Never the secret itself, which is nowhere kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{UnknownWord, name_fault};
use crate::{error::FieldError, limits::MAX_KEY_BINDINGS};

/// What every key begins with: tells people and scanners of leaked secrets whose it is.
pub const KEY_MARK: &str = "sp_";

/// What the holder of a key may do. Contract §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read.
    Viewer,
    /// Post events.
    Camera,
    /// All.
    Admin,
}

impl Role {
    /// Every role, in the order of their numbers in the databases.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Camera, Self::Admin];

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Camera => "camera",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or(UnknownWord { expected: "viewer, camera, admin" })
    }
}

/// An API key as it is known after it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// Its id; never given twice.
    pub id: i64,
    /// Its name, unique among the keys that are not revoked.
    pub name: String,
    /// What it begins with; public, to tell keys apart.
    pub prefix: String,
    /// What its holder may do.
    pub role: Role,
    /// The cameras that it may speak for; all where there is none.
    pub cameras: Vec<String>,
    /// The ids of the floors that it may speak for; all where there is none.
    pub floors: Vec<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its secret was last replaced.
    pub rotated_at: Option<Timestamp>,
    /// Since when it is worth nothing.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it may speak for this camera.
    #[must_use]
    pub fn speaks_for_camera(&self, camera_id: &str) -> bool {
        self.cameras.is_empty() || self.cameras.iter().any(|camera| camera == camera_id)
    }

    /// Whether it may speak for this floor.
    #[must_use]
    pub fn speaks_for_floor(&self, floor_id: i64) -> bool {
        self.floors.is_empty() || self.floors.contains(&floor_id)
    }
}

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its name: 1–100 characters, unique, not beginning with `sp_` as keys do.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The cameras that it may speak for; all where there is none. Only for [`Role::Camera`].
    pub cameras: Vec<String>,
    /// The ids of the floors that it may speak for; all where there is none. Only for
    /// [`Role::Camera`].
    pub floors: Vec<i64>,
}

impl NewKey {
    /// A key for every camera and floor.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, cameras: Vec::new(), floors: Vec::new() }
    }

    /// Every field that does not fit; none if all do.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        name_fault("name", &self.name, &mut faults);
        if self.name.starts_with(KEY_MARK) {
            faults.push(FieldError::new("name", "must not begin with sp_, as keys do"));
        }
        let bound = [("cameras", self.cameras.len()), ("floors", self.floors.len())];
        for (field, number) in bound {
            if number > 0 && self.role != Role::Camera {
                faults.push(FieldError::new(field, "are only for the role camera"));
            }
            if number > MAX_KEY_BINDINGS {
                faults.push(FieldError::new(field, "must be at most 1000"));
            }
        }
        let mut cameras = self.cameras.iter();
        // One fault tells enough.
        cameras.find(|camera| {
            let before = faults.len();
            name_fault("cameras", camera, &mut faults);
            faults.len() > before
        });
        faults
    }
}
