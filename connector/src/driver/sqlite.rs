//! The core's memory in a SQLite file: what is kept is on the disk before anything that depends on it happens.
//!
//! One file belongs to one connector: a lock beside it keeps a second process out, and a file of another program, of another
//! connector or of a later version is refused.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};

use super::store::{Store, StoreError};
use crate::contract::Memory;

/// Marks the file as the connector's: `cose` in ASCII.
const APPLICATION: i64 = 0x636f_7365;

/// One step for each version of the tables. A step that has been released is never changed.
const MIGRATIONS: [&str; 2] = [
    "CREATE TABLE memory (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID, STRICT;",
    "CREATE TABLE about (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID, STRICT;",
];

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// Held for as long as the store is open; the system releases it when the process ends, however it ends.
    _lock: File,
}

/// What a look at the whole file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// How many entries there are.
    pub entries: u64,
    /// The version of the tables.
    pub version: i64,
    /// What is wrong with the file; nothing when it is whole.
    pub faults: Vec<String>,
}

impl Sqlite {
    /// Opens or creates a store. `owner` names the systems that the memory is about: a file of other ones is refused.
    pub fn open(path: &Path, owner: &str) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let connection = Connection::open(path).map_err(|error| wrong(path, "cannot be opened", error))?;
        let mut store = Self {
            connection,
            path: path.to_path_buf(),
            _lock: lock,
        };
        store.prepare()?;
        store.migrate()?;
        store.claim(owner)?;
        Ok(store)
    }

    fn wrong(&self, what: &str, error: rusqlite::Error) -> StoreError {
        wrong(&self.path, what, error)
    }

    fn prepare(&self) -> Result<(), StoreError> {
        let connection = &self.connection;
        // Reading the header is what finds out that the file is no database.
        let application: i64 = connection
            .pragma_query_value(None, "application_id", |row| row.get(0))
            .map_err(|error| self.wrong("cannot be read", error))?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| self.wrong("cannot be read", error))?;
        if application != APPLICATION && (application != 0 || tables > 0) {
            return Err(told(
                &self.path,
                "is the database of another program: name another file",
            ));
        }
        let set = || -> rusqlite::Result<()> {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A commit is on the disk when it returns, also when the machine loses its power.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))
        };
        set().map_err(|error| self.wrong("cannot be set up", error))?;
        let check: String = connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| self.wrong("cannot be checked", error))?;
        if check == "ok" {
            return Ok(());
        }
        Err(told(
            &self.path,
            &format!(
                "is damaged ({check}): put a copy back, or move it away and let the connector find every deal again"
            ),
        ))
    }

    fn version(&self) -> Result<i64, StoreError> {
        self.connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| self.wrong("cannot be read", error))
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let version = self.version()?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if !(0..=known).contains(&version) {
            let text =
                format!("has tables of version {version}, this program knows up to {known}: use a later program");
            return Err(told(&self.path, &text));
        }
        let done = usize::try_from(version).unwrap_or_default();
        for (step, next) in MIGRATIONS.iter().skip(done).zip(version + 1..) {
            let path = self.path.clone();
            let change = |error| wrong(&path, "cannot be brought to the version of this program", error);
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(change)?;
            transaction.execute_batch(step).map_err(change)?;
            transaction.pragma_update(None, "user_version", next).map_err(change)?;
            transaction.commit().map_err(change)?;
        }
        Ok(())
    }

    /// Takes the file for these systems, unless it is about others.
    fn claim(&mut self, owner: &str) -> Result<(), StoreError> {
        let known: Option<String> = self
            .connection
            .query_row("SELECT value FROM about WHERE name = 'owner'", [], |row| row.get(0))
            .optional()
            .map_err(|error| self.wrong("cannot be read", error))?;
        match known {
            Some(known) if known != owner => {
                let text = format!("is the memory of another connector, for {known}: this one is for {owner}");
                Err(told(&self.path, &text))
            }
            Some(_) => Ok(()),
            None => self
                .connection
                .execute("INSERT INTO about (name, value) VALUES ('owner', ?1)", params![owner])
                .map(drop)
                .map_err(|error| self.wrong("cannot be written", error)),
        }
    }

    /// Lets the file grow to so many pages and no further: a disk that is full, for tests.
    pub fn limit(&self, pages: u32) -> Result<(), StoreError> {
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .map_err(|error| self.wrong("cannot be limited", error))
    }

    /// Looks at the whole file.
    pub fn examine(&self) -> Result<Examined, StoreError> {
        let read = |error| self.wrong("cannot be examined", error);
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)").map_err(read)?;
        let lines: Vec<String> = statement
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(read)?;
        let entries: i64 = self
            .connection
            .query_row("SELECT count(*) FROM memory", [], |row| row.get(0))
            .map_err(read)?;
        Ok(Examined {
            entries: u64::try_from(entries).unwrap_or_default(),
            version: self.version()?,
            faults: lines.into_iter().filter(|line| line != "ok").collect(),
        })
    }

    fn write(&mut self, entries: &[(String, Option<String>)]) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let put = "INSERT INTO memory (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            let mut put = transaction.prepare_cached(put)?;
            let mut remove = transaction.prepare_cached("DELETE FROM memory WHERE key = ?1")?;
            for (key, value) in entries {
                match value {
                    Some(value) => put.execute(params![key, value])?,
                    None => remove.execute(params![key])?,
                };
            }
        }
        transaction.commit()
    }
}

impl Store for Sqlite {
    fn load(&mut self) -> Result<Memory, StoreError> {
        let read = |error| wrong(&self.path, "cannot be read", error);
        let mut statement = self.connection.prepare("SELECT key, value FROM memory").map_err(read)?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(read)?;
        let mut memory = Memory::default();
        for row in rows {
            let (key, value): (String, String) = row.map_err(read)?;
            memory.apply(key, Some(value));
        }
        Ok(memory)
    }

    fn keep(&mut self, entries: Vec<(String, Option<String>)>) -> Result<(), StoreError> {
        self.write(&entries)
            .map_err(|error| self.wrong("cannot be written", error))
    }
}

/// Keeps a second process out.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let options = File::options().create(true).truncate(false).write(true).open(&beside);
    let file = options.map_err(|error| StoreError {
        what: format!("the lock file {} cannot be made", beside.display()),
        source: Some(Box::new(error)),
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(told(path, "is used by another connector that is running")),
        Err(TryLockError::Error(error)) => Err(StoreError {
            what: format!("the lock file {} cannot be locked", beside.display()),
            source: Some(Box::new(error)),
        }),
    }
}

fn told(path: &Path, what: &str) -> StoreError {
    StoreError {
        what: format!("{} {what}", path.display()),
        source: None,
    }
}

fn wrong(path: &Path, what: &str, error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    let plain = match code {
        Some(ErrorCode::NotADatabase) => "is no SQLite database: name another file".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => {
            "is damaged: put a copy back, or move it away and let the connector find every deal again".to_owned()
        }
        Some(ErrorCode::DiskFull) => {
            "cannot grow, the disk is full: make room, then start again; nothing is lost".to_owned()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => format!("{what}: there is no right to write it"),
        _ => what.to_owned(),
    };
    StoreError {
        what: format!("{} {plain}", path.display()),
        source: Some(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("cosell-store-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("memory.db")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn entry(key: &str, value: &str) -> (String, Option<String>) {
        (key.to_owned(), Some(value.to_owned()))
    }

    fn refused(path: &Path) -> String {
        Sqlite::open(path, "o").unwrap_err().to_string()
    }

    #[test]
    fn what_is_kept_is_there_after_the_store_is_opened_again() {
        let folder = Folder::new("again");
        let mut store = Sqlite::open(&folder.file(), "o").unwrap();
        store.keep(vec![entry("a", "1"), entry("b", "2")]).unwrap();
        store.keep(vec![("b".to_owned(), None), entry("a", "3")]).unwrap();
        drop(store);
        let mut store = Sqlite::open(&folder.file(), "o").unwrap();
        assert_eq!(store.load().unwrap().entries().collect::<Vec<_>>(), [("a", "3")]);
        let examined = store.examine().unwrap();
        assert_eq!((examined.entries, examined.version, examined.faults.len()), (1, 2, 0));
    }

    #[test]
    fn a_second_instance_another_owner_and_a_later_version_are_refused() {
        let folder = Folder::new("refused");
        let store = Sqlite::open(&folder.file(), "o").unwrap();
        assert!(refused(&folder.file()).ends_with("is used by another connector that is running"));
        store.connection.pragma_update(None, "user_version", 9).unwrap();
        drop(store);
        assert!(refused(&folder.file()).contains("has tables of version 9, this program knows up to 2"));
        let other = Connection::open(folder.file()).unwrap();
        other.pragma_update(None, "user_version", 2).unwrap();
        drop(other);
        let error = Sqlite::open(&folder.file(), "p").unwrap_err();
        assert!(error.to_string().contains("is the memory of another connector, for o"));
    }

    #[test]
    fn a_file_that_is_none_of_the_connectors_is_refused_and_left_as_it_is() {
        let folder = Folder::new("foreign");
        std::fs::write(
            folder.file(),
            "this is a letter to a friend, and surely no database of any kind",
        )
        .unwrap();
        assert!(refused(&folder.file()).contains("is no SQLite database"));
        assert!(
            std::fs::read_to_string(folder.file())
                .unwrap()
                .starts_with("this is a letter")
        );
        std::fs::remove_file(folder.file()).unwrap();
        let other = Connection::open(folder.file()).unwrap();
        other.execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
        drop(other);
        assert!(refused(&folder.file()).contains("is the database of another program"));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = Folder::new("damaged");
        let mut store = Sqlite::open(&folder.file(), "o").unwrap();
        let many = (0..500).map(|number| entry(&format!("deal/{number:>012}"), &"x".repeat(200)));
        store.keep(many.collect()).unwrap();
        store
            .connection
            .pragma_update(None, "wal_checkpoint", "TRUNCATE")
            .unwrap();
        drop(store);
        let mut bytes = std::fs::read(folder.file()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0xAB);
        std::fs::write(folder.file(), bytes).unwrap();
        assert!(
            refused(&folder.file()).contains("is damaged"),
            "{}",
            refused(&folder.file())
        );
    }

    #[test]
    fn a_full_disk_is_told_and_loses_nothing() {
        let folder = Folder::new("full");
        let mut store = Sqlite::open(&folder.file(), "o").unwrap();
        store.keep(vec![entry("a", "1")]).unwrap();
        store.limit(12).unwrap();
        let error = store.keep(vec![entry("b", &"x".repeat(200_000))]).unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(store.load().unwrap().entries().collect::<Vec<_>>(), [("a", "1")]);
    }
}
