//! Problems in the OpenAPI document: what an operation may answer, with an example of each kind.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::openapi::{
    Content, HeaderBuilder, Ref, RefOr, Response as Documented, ResponseBuilder,
    example::ExampleBuilder,
    schema::{ObjectBuilder, Type},
};

use super::{kind::Kind, problem::PROBLEM_JSON};

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
                use $crate::http::{kind::Kind, described::documented};
                documented(&[$(Kind::$kind),+])
            }
        }
    };
}
pub(super) use problems;
