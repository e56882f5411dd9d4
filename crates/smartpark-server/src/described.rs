//! Problems in the OpenAPI document: what an operation may answer, with an example of each kind.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::openapi::{
    Content, HeaderBuilder, OpenApi, Ref, RefOr, Response as Documented, ResponseBuilder,
    example::ExampleBuilder,
    schema::{ObjectBuilder, Type},
    security::{
        ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
    },
};

use super::{
    auth::{API_KEY, COOKIE},
    kind::Kind,
    problem::PROBLEM_JSON,
};

/// The ways to say who one is, by the names that the description gives them.
const SCHEMES: [&str; 3] = ["bearer", "header", "session"];

/// Describes that the operations of `document` want a key, and what they answer to those without.
pub(super) fn guard(document: &mut OpenApi) {
    let schemes = [
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(API_KEY.as_str()))),
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))),
    ];
    let components = document.components.get_or_insert_default();
    let named = SCHEMES.map(str::to_owned).into_iter().zip(schemes.map(RefOr::T));
    components.security_schemes.extend(named);
    let any = SCHEMES.map(|name| SecurityRequirement::new(name, [""; 0]));
    for item in document.paths.paths.values_mut() {
        let reading = [&mut item.get, &mut item.head];
        let changing = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        let refusals = [Kind::Unauthorized, Kind::Forbidden, Kind::TooOften];
        for operation in reading.into_iter().flatten() {
            operation.security = Some(any.to_vec());
            operation.responses.responses.extend(documented(&refusals));
        }
        for operation in changing.into_iter().flatten() {
            let refusals = [&refusals[..], &[Kind::CrossSite]].concat();
            operation.security = Some(any.to_vec());
            operation.responses.responses.extend(documented(&refusals));
        }
    }
}

/// Describes that every operation of `document` refuses a request that does not name its host.
pub(super) fn require_host(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let reading = [&mut item.get, &mut item.head];
        let changing = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in reading.into_iter().chain(changing).flatten() {
            for (status, fresh) in documented(&[Kind::BadHost]) {
                match (operation.responses.responses.get_mut(&status), fresh) {
                    (Some(RefOr::T(known)), RefOr::T(fresh)) => join(known, fresh),
                    (_, fresh) => drop(operation.responses.responses.insert(status, fresh)),
                }
            }
        }
    }
}

/// Adds the problems of one response to those of another with the same status.
fn join(known: &mut Documented, mut more: Documented) {
    let is_problem = known.content.get_mut(PROBLEM_JSON).zip(more.content.get_mut(PROBLEM_JSON));
    if let Some((RefOr::T(known), RefOr::T(more))) = is_problem {
        known.examples.append(&mut more.examples);
    }
    known.description = format!("{}, or: {}", known.description, more.description);
}

/// The responses of the OpenAPI document for these kinds of problems, one a status.
pub(super) fn documented(kinds: &[Kind]) -> BTreeMap<String, RefOr<Documented>> {
    let mut by_status: BTreeMap<StatusCode, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.status()).or_default().push(*kind);
    }
    let described = |(status, kinds): (StatusCode, Vec<Kind>)| {
        let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
        let examples = kinds.iter().map(|kind| {
            let example =
                ExampleBuilder::new().summary(kind.title()).value(Some(kind.example())).build();
            (kind.slug(), example)
        });
        let schema = Some(Ref::from_schema_name("Problem"));
        let mut content = Content::new(schema);
        content.examples =
            examples.map(|(slug, example)| (slug.to_owned(), RefOr::T(example))).collect();
        let mut response = ResponseBuilder::new()
            .description(titles.join(", or: "))
            .content(PROBLEM_JSON, content);
        if kinds.iter().any(|kind| kind.retry_after().is_some()) {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer);
            let retry = HeaderBuilder::new()
                .schema(Some(seconds))
                .description(Some("Seconds to wait before trying again"));
            response = response.header("Retry-After", retry.build());
        }
        (status.as_str().to_owned(), RefOr::T(response.build()))
    };
    by_status.into_iter().map(described).collect()
}

/// Names the problems that an operation may answer, for its entry in the OpenAPI document.
macro_rules! problems {
    ($name:ident: $($kind:ident),+ $(,)?) => {
        #[doc = "The problems of an operation."]
        pub(super) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::response::Response>,
            > {
                use $crate::{kind::Kind, described::documented};
                documented(&[$(Kind::$kind),+])
            }
        }
    };
}
pub(super) use problems;
