//! A PostgreSQL server of a test's own, from the installed programs.

use std::{
    ffi::OsString,
    fs,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use sqlx::{Connection, Executor, PgConnection};

use crate::{StoreError, StoreUrl};

/// Whether commits reach the disk: measurements need it, behaviour does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in operation.
    Disk,
    /// Survives the server, not the machine.
    Memory,
}

/// A running server in a folder of its own, reached through a socket in it. Gone when dropped,
/// and when the test that started it is killed.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
    durability: Durability,
    running: Option<Child>,
}

impl Server {
    /// Starts a server; `None` where PostgreSQL is not installed.
    ///
    /// # Errors
    /// If it is installed and does not start.
    pub fn start(durability: Durability) -> io::Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder = std::env::temp_dir().join(format!("lanyard-pg-{}", std::process::id()));
        fs::create_dir(&folder)?;
        if let Some((user, group)) = other_user()? {
            std::os::unix::fs::chown(&folder, Some(user), Some(group))?;
        }
        let mut server = Self { folder, programs, durability, running: None };
        let initdb = server
            .command("initdb")?
            .args(["--auth=trust", "--username=lanyard", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--no-instructions", "--pgdata"])
            .arg(server.data())
            .stdout(Stdio::null())
            .output()?;
        if !initdb.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&initdb.stderr).into_owned()));
        }
        server.go_on()?;
        Ok(Some(server))
    }

    /// Starts the server again after [`Server::kill`].
    ///
    /// # Errors
    /// If it does not start.
    pub fn go_on(&mut self) -> io::Result<()> {
        let memory = self.durability == Durability::Memory;
        let mut command = self.command("postgres")?;
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        command.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        if memory {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut log = BufReader::new(child.stderr.take().ok_or_else(no_log)?);
        self.running = Some(child);
        let mut told = String::new();
        loop {
            let start = told.len();
            if log.read_line(&mut told)? == 0 {
                return Err(io::Error::other(told));
            }
            if told[start..].contains("ready to accept connections") {
                break;
            }
        }
        // The log must be read, or the server would wait for room in the pipe.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Ok(())
    }

    /// Kills the server without any warning.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.running.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// The address of a new, empty database.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn database(&self, name: &str) -> Result<StoreUrl, StoreError> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
        connection.execute(sqlx::raw_sql(create)).await?;
        connection.close().await?;
        Ok(StoreUrl::Postgres(self.url(name)))
    }

    fn url(&self, database: &str) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://lanyard@{socket}/{database}")
    }

    /// Processor time of the server's processes so far, in microseconds.
    pub fn processor_time(&self) -> u64 {
        let Some(root) = self.running.as_ref().map(Child::id) else { return 0 };
        let children = format!("/proc/{root}/task/{root}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        let ids = children.split_whitespace().map(str::to_owned).chain([root.to_string()]);
        ids.map(|id| processor_time(&id)).sum()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of PostgreSQL, which refuses to run as root.
    fn command(&self, program: &str) -> io::Result<Command> {
        let program = self.programs.join(program);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some((user, group)) = other_user()? {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
            command.arg("--clear-groups");
        }
        command.arg("--").arg(program).current_dir(&self.folder);
        Ok(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.kill().and_then(|()| fs::remove_dir_all(&self.folder)) {
            tracing::warn!(%error, "A test's PostgreSQL was not cleared away");
        }
    }
}

fn no_log() -> io::Error {
    io::Error::other("PostgreSQL writes no log")
}

/// The newest installed version's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .filter(|(number, folder)| *number >= 15 && folder.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, folder)| folder)
}

/// Whom to run PostgreSQL as, if this is root.
fn other_user() -> io::Result<Option<(u32, u32)>> {
    if id(&["-u"])? != Some(0) {
        return Ok(None);
    }
    let user = id(&["-u", "postgres"])?.or(id(&["-u", "nobody"])?);
    let group = id(&["-g", "postgres"])?.or(id(&["-g", "nobody"])?);
    Ok(user.zip(group))
}

fn id(arguments: &[&str]) -> io::Result<Option<u32>> {
    let output = Command::new("id").args(arguments).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// A process's processor time in microseconds.
pub fn processor_time(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks * 10_000
}

/// True if a test must not be passed over because PostgreSQL is not installed.
#[expect(clippy::disallowed_methods, reason = "the continuous build says so in the environment")]
pub fn postgres_is_required() -> bool {
    std::env::var_os("REQUIRE_POSTGRES") == Some(OsString::from("1"))
}
