//! SQLite's errors in the words of [`Error`]: told apart by code, never by message text.

use rusqlite::ErrorCode;

use crate::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Unavailable("another process is writing to it; try again".into())
            }
            Some(ErrorCode::DiskFull) => Self::Unavailable("its disk is full".into()),
            Some(ErrorCode::ReadOnly) => Self::Unavailable("it is read-only".into()),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Unavailable(format!("it cannot be opened: {text}"))
            }
            Some(ErrorCode::OutOfMemory) => Self::Unavailable("out of memory".into()),
            Some(
                ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase,
            ) => Self::Broken(text),
            _ => Self::Internal(text),
        }
    }
}

/// Whether `error` says that the file is no database or a damaged one.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
