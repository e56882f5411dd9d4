//! The operations on API keys.

mod secret;
mod session;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    ApiKey, Error, NewKey, Result, SmartPark,
    limits::{MAX_KEY_BINDINGS, MAX_KEYS},
};
pub use secret::Secret;
pub use secret::Sha256Sum;
pub(crate) use secret::{Sealed, prefix_of};
pub(crate) use session::SealedSession;
pub use session::Session;

// The words of `NewKey::faults` and of `add_key` say these.
const _: () = assert!(MAX_KEY_BINDINGS == 1_000 && MAX_KEYS == 1_000);

/// The operations on API keys; from [`SmartPark::keys`].
#[derive(Clone, Copy, Debug)]
pub struct KeyOperations<'a> {
    pub(crate) park: &'a SmartPark,
}

/// A key and its secret, which cannot be had again.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// What is known of the key from now on.
    /// The key as people see it.
    pub key: ApiKey,
    /// What its holder sends.
    pub secret: Secret,
}

/// The keys that let somebody in.
#[derive(Debug, Default)]
pub struct KeyRing {
    /// Each key that is not revoked, by its prefix.
    keys: HashMap<String, Arc<KnownKey>>,
    /// The sums of the sessions that have not ended.
    sessions: HashSet<[u8; 32]>,
    /// Whether there ever was a key. Then one is asked for, also where all are revoked since.
    pub required: bool,
}

/// A key, and what its secret must come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The key as people see it.
    pub key: ApiKey,
    /// The SHA-256 sum of its secret.
    pub sum: Sha256Sum,
}

impl KeyRing {
    pub(crate) fn new(
        keys: impl Iterator<Item = Result<KnownKey>>,
        sessions: HashSet<[u8; 32]>,
        required: bool,
    ) -> Result<Self> {
        let keys = keys.map(|known| known.map(|known| (known.key.prefix.clone(), Arc::new(known))));
        Ok(Self { keys: keys.collect::<Result<_>>()?, sessions, required })
    }

    /// The key that a session was begun with, if both hold.
    #[must_use]
    pub fn key_of(&self, session: &Session) -> Option<&Arc<KnownKey>> {
        let key = self.with_prefix(session.prefix())?;
        self.sessions.contains(&session.sum().0).then_some(key)
    }

    /// The key with this public part.
    pub fn with_prefix(&self, prefix: &str) -> Option<&Arc<KnownKey>> {
        self.keys.get(prefix)
    }

    /// The key that `text` is.
    pub fn recognise(&self, text: &str) -> Option<&Arc<KnownKey>> {
        let known = self.with_prefix(prefix_of(text)?)?;
        (known.sum == Sha256Sum::of(text)).then_some(known)
    }
}

impl KeyOperations<'_> {
    /// Makes a key. Servers let it in within [`KEYS_MAX_AGE`](crate::limits::KEYS_MAX_AGE). As
    /// soon as there is one, they ask everybody for a key.
    ///
    /// ```
    /// # use smartpark_ledger::{NewKey, Role};
    /// # smartpark_ledger::doctest(async |park| {
    /// let issued = park.keys().add_key(NewKey::new("gate", Role::Camera)).await?;
    /// assert!(issued.secret.expose().starts_with(&issued.key.prefix));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::UnknownFloor`], [`Error::KeyNameTaken`],
    /// [`Error::Unavailable`]: it may have been made, and is then to be revoked by its name.
    pub async fn add_key(self, new: NewKey) -> Result<IssuedKey> {
        let faults = new.faults();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        for floor_id in &new.floors {
            let floor = self.park.engine.floor_by_id(*floor_id).await?;
            floor.ok_or(Error::UnknownFloor)?;
        }
        let keys = self.get_all_keys().await?;
        if keys.iter().filter(|key| key.revoked_at.is_none()).count() >= MAX_KEYS {
            return Err(Error::invalid("name", "is one too many: there are 1000 keys already"));
        }
        let (secret, sealed) = Secret::draw()?;
        let key = self.park.engine.add_key(new, sealed).await?;
        Ok(IssuedKey { key, secret })
    }

    /// Every key that ever was, the revoked ones too, in the order they were made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_all_keys(self) -> Result<Vec<ApiKey>> {
        self.park.engine.keys().await
    }

    /// Gives a key a new secret. The old one, and the sessions that were begun with it, end
    /// within [`KEYS_MAX_AGE`](crate::limits::KEYS_MAX_AGE). The key is named by its name, by its
    /// prefix or by itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] where no key that holds has the name; [`Error::Unavailable`]: the old
    /// secret may have ended.
    pub async fn rotate_key(self, named: &str) -> Result<IssuedKey> {
        let (secret, sealed) = Secret::draw()?;
        let key = self.park.engine.rotate_key(public(named), sealed).await?;
        Ok(IssuedKey { key, secret })
    }

    /// Ends a key, and the sessions that were begun with it, on every server within
    /// [`KEYS_MAX_AGE`](crate::limits::KEYS_MAX_AGE). It is named as for
    /// [`KeyOperations::rotate_key`].
    ///
    /// ```
    /// # use smartpark_ledger::{NewKey, Role};
    /// # smartpark_ledger::doctest(async |park| {
    /// park.keys().add_key(NewKey::new("gate", Role::Camera)).await?;
    /// let revoked = park.keys().revoke_key("gate").await?;
    /// assert!(revoked.revoked_at.is_some());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] where no key that holds has the name; [`Error::Unavailable`]: it may
    /// have ended.
    pub async fn revoke_key(self, named: &str) -> Result<ApiKey> {
        self.park.engine.revoke_key(public(named)).await
    }

    /// The key that `secret` is, if it holds. For servers of your own;
    /// the one of this crate asks by itself.
    ///
    /// ```
    /// # use smartpark_ledger::{NewKey, Role};
    /// # smartpark_ledger::doctest(async |park| {
    /// let issued = park.keys().add_key(NewKey::new("gate", Role::Camera)).await?;
    /// let found = park.keys().find_key(issued.secret.expose()).await?;
    /// assert_eq!(found, Some(issued.key));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn find_key(self, secret: &str) -> Result<Option<ApiKey>> {
        let ring = self.ring().await?;
        Ok(ring.recognise(secret).map(|known| known.key.clone()))
    }

    /// Whether everybody is to be asked for a key: since the first one was made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn are_keys_required(self) -> Result<bool> {
        Ok(self.ring().await?.required)
    }

    /// Begins a session with the key of this prefix. Of more than
    /// [`MAX_SESSIONS_PER_KEY`](crate::limits::MAX_SESSIONS_PER_KEY) those that would end first
    /// end now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Overloaded`] of the store.
    pub async fn begin_session(self, prefix: &str) -> Result<Session> {
        let session = Session::draw(prefix, self.park.now())?;
        self.park.engine.begin_session(session.seal()).await?;
        Ok(session)
    }

    /// Begins a session in place of one that is aged; none if that was renewed a short time ago.
    ///
    /// # Errors
    /// As [`KeyOperations::begin_session`].
    pub async fn renew_session(self, old: &Session) -> Result<Option<Session>> {
        let session = Session::draw(old.prefix(), self.park.now())?;
        let is_renewed = self.park.engine.renew_session(old.sum(), session.seal()).await?;
        Ok(is_renewed.then_some(session))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// As [`KeyOperations::begin_session`].
    pub async fn end_session(self, session: &Session) -> Result<()> {
        self.park.engine.end_session(session.sum()).await
    }

    /// The keys that let somebody in.
    pub async fn ring(self) -> Result<KeyRing> {
        self.park.engine.key_ring().await
    }
}

/// How a key may be named in a question to the database: never with its secret.
fn public(named: &str) -> &str {
    prefix_of(named).unwrap_or(named)
}
