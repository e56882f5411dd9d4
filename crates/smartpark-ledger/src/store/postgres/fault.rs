//! PostgreSQL's errors in the words of [`Error`]: told apart by code, never by message text.

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::error::{DbError, SqlState};

use super::transaction::not_in_time;
use crate::Error;

/// Whether doing the same again may go well: the connection was lost, the server is restarting,
/// another transaction was in the way.
pub(super) fn is_transient(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_))
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(fault) = error.as_db_error() else {
            let source = std::error::Error::source(&error);
            let lost = source.is_none_or(|source| source.is::<std::io::Error>());
            let text = source.map_or_else(|| error.to_string(), ToString::to_string);
            return if source.is_some_and(is_of_a_stranger) {
                Self::Unusable(format!("the database server cannot be trusted: {text}"))
            } else if lost || error.is_closed() {
                Self::Unavailable(format!("the connection: {text}"))
            } else {
                Self::Internal(text)
            };
        };
        // The message names no values; `detail` may, so it stays out.
        let text = format!("{} ({})", fault.message(), fault.code().code());
        let code = fault.code();
        if matches!(code.code(), "26000" | "42P05") {
            return Self::Unusable(format!(
                "prepared statements do not stay with their connection, as behind a pooler in \
                 transaction mode; have it pool sessions: {text}"
            ));
        }
        if is_refusal(code) {
            return Self::Unusable(format!("the database server refuses: {text}"));
        }
        if is_passing(code) || lacks_partition(fault) {
            Self::Unavailable(text)
        } else {
            Self::Internal(text)
        }
    }
}

/// Whether a certificate was refused: that of a server that is not who the URL says.
fn is_of_a_stranger(source: &(dyn std::error::Error + 'static)) -> bool {
    let within = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let fault = within.and_then(|within| within.downcast_ref::<rustls::Error>());
    matches!(fault, Some(rustls::Error::InvalidCertificate(_)))
}

/// Wrong password, no such user or database, no right: trying again does not help.
fn is_refusal(code: &SqlState) -> bool {
    let code = code.code();
    code.starts_with("28") || matches!(code, "3D000" | "3F000" | "42501")
}

/// What passes: connections lost (08), no room (53), other transactions in the way (40, 55P03,
/// 23505: another server recorded the same key at the same time), the server stopping (57), a
/// standby that was not promoted yet (25006), a transaction that PostgreSQL ended because this
/// process stood still for too long (25P03, 25P04).
fn is_passing(code: &SqlState) -> bool {
    let code = code.code();
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58")
        || matches!(code, "55P03" | "23505" | "25006" | "25P02" | "25P03" | "25P04")
}

/// Whether the month of an event has no partition: it was made, and another server's cleanup
/// dropped it meanwhile. A violated constraint has the same code, and names itself.
fn lacks_partition(fault: &DbError) -> bool {
    *fault.code() == SqlState::CHECK_VIOLATION && fault.constraint().is_none()
}

/// Whether another transaction held a lock for longer than this one was to wait.
pub(super) fn is_lock_timeout(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// The constraint that an error names.
pub(super) fn constraint(error: &tokio_postgres::Error) -> Option<&str> {
    error.as_db_error().and_then(DbError::constraint)
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => match error.into() {
                // What fails while a connection is made, and not by chance: a password that is
                // missing, a server without TLS.
                Self::Internal(text) => {
                    Self::Unusable(format!("the database server cannot be used: {text}"))
                }
                other => other,
            },
            PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            PoolError::PostCreateHook(HookError::Message(text)) => {
                Self::Unavailable(text.into_owned())
            }
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => not_in_time(),
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::Unavailable("all connections are busy".into())
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}
