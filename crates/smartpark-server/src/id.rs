//! The id in a path.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use super::{kind::Kind, problem::Problem};

/// A name in the path, such as that of a camera.
#[derive(Clone, Debug)]
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(Kind::NotFound);
        let found = RawPathParams::from_request_parts(parts, state).await;
        let params = found.map_err(|_| missing())?;
        let text = params.iter().find(|(name, _)| *name == "id");
        text.map(|(_, text)| Self(text.to_owned())).ok_or_else(missing)
    }
}

/// The id at the end of `/floors/{id}` and the like. What is no id of ours is simply not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Id(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(Kind::NotFound);
        let found = RawPathParams::from_request_parts(parts, state).await;
        let params = found.map_err(|_| missing())?;
        let text = params.iter().find(|(name, _)| *name == "id");
        let id = text.and_then(|(_, text)| {
            let id: i64 = text.parse().ok()?;
            // Each thing has one address: neither "+1" nor "01" is one.
            (id.to_string() == text).then_some(id)
        });
        id.map(Self).ok_or_else(missing)
    }
}
