//! Faults of real machines: the power fails, a process is killed, the disk is full, two write at once, a clock is wrong.
//!
//! A killed process loses nothing that it wrote, since the page cache survives it; only a power failure shows whether
//! the syncs are right. Here that is an ext4 file system in a file: the writer is stopped at a moment of its own, the
//! file is copied as it is, and the copy is mounted. What needs root is skipped, loudly, without it.

use super::{check_whole, entries, signer, skipped};
use std::any::Any;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tearline_store::log_folder::fsck::fsck;
use tearline_store::log_folder::sequencer::{Pace, Sequencer};
use tearline_store::log_folder::storage::{Disk, Storage};
use tearline_store::log_folder::{Error, LogFolder, Options};

/// How many writers there are in the process that writes.
const WRITERS: u64 = 4;

fn options() -> Options {
    Options { segment: 64 << 10, ..Options::default() }
}

/// A disk whose syncs do nothing, to see that the tests notice.
#[derive(Default)]
struct Unsynced(Disk);

impl Storage for Unsynced {
    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        self.0.read(file)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.0.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.create_dir(dir)
    }
    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.write(file, bytes)
    }
    fn write_at(&self, file: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(file, offset, bytes)
    }
    fn sync(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, file: &Path) -> io::Result<()> {
        self.0.remove(file)
    }
    fn lock(&self, file: &Path, wait: Duration) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        self.0.lock(file, wait)
    }
}

/// Not a test: the process that writes, which the tests start. It says on its output what was acknowledged.
#[test]
#[ignore = "the tests of this module start it as a process of its own"]
fn writer() {
    let Some(dir) = std::env::var_os("TEARLINE_TEST_DIR") else { return };
    let dir = PathBuf::from(dir);
    match std::env::var("TEARLINE_TEST_WRITER").as_deref() {
        Ok("synced") => write_without_end(&dir, &Arc::new(Disk::default())),
        Ok("unsynced") => write_without_end(&dir, &Arc::new(Unsynced::default())),
        Ok("turns") => write_in_turns(&dir),
        other => panic!("no such writer: {other:?}"),
    }
}

fn acknowledge(first: u64, batch: &[Vec<u8>]) {
    let text = String::from_utf8(batch.join(&b'|')).expect("our entries are text");
    let mut out = io::stdout().lock();
    // Past the test harness; the test that reads may have gone.
    drop(writeln!(out, "ACK {first} {text}").and_then(|()| out.flush()));
}

fn write_without_end<S: Storage>(dir: &Path, storage: &Arc<S>) {
    let folder = LogFolder::open_on(storage, dir, signer(), options()).expect("it opens");
    let pace = Pace { publish: Duration::from_millis(5), ..Pace::default() };
    let sequencer = Sequencer::start(folder, pace);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let sequencer = &sequencer;
            scope.spawn(move || {
                for round in 0.. {
                    let batch = entries(writer * 1_000_000 + round * 10, 1 + round % 3);
                    let Ok(appended) = sequencer.append(batch.clone()) else { return };
                    acknowledge(appended.first, &batch);
                }
            });
        }
    });
}

fn write_in_turns(dir: &Path) {
    for round in 0..10 {
        let mut folder = LogFolder::open(dir, signer()).expect("the other ends its turn in time");
        let batch = entries(u64::from(std::process::id()) * 100 + round, 2);
        let appended = folder.append(&batch).expect("the disk works");
        acknowledge(appended.first, &batch);
    }
}

/// Starts the process that writes.
fn start(mode: &str, dir: &Path, before: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let program = std::env::current_exe().expect("this program");
    let mut command = match before {
        [] => Command::new(&program),
        [tool, arguments @ ..] => {
            let mut command = Command::new(tool);
            command.args(arguments).arg(&program);
            command
        }
    };
    let mut child = command
        .args(["--exact", "log_folder::power::writer", "--ignored", "--nocapture", "--test-threads=1"])
        .env("TEARLINE_TEST_WRITER", mode)
        .env("TEARLINE_TEST_DIR", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process can be started");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    (child, output)
}

/// Reads acknowledgements until `enough` of them or the end. A line that is not whole was not said.
fn acknowledged(output: &mut impl io::BufRead, enough: usize) -> BTreeMap<u64, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut said = 0;
    let mut line = String::new();
    while said < enough && output.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some((first, batch)) = line.strip_suffix('\n').and_then(parse) {
            said += 1;
            found.extend((first..).zip(batch));
        }
        line.clear();
    }
    found
}

fn parse(line: &str) -> Option<(u64, Vec<Vec<u8>>)> {
    // The harness writes "test … ... " before the first of our lines.
    let (_, line) = line.split_once("ACK ")?;
    let (first, batch) = line.split_once(' ')?;
    Some((first.parse().ok()?, batch.split('|').map(|entry| entry.as_bytes().to_vec()).collect()))
}

/// What is wrong with a log after a fault, if anything; it has been opened and appended to.
fn wrong_with(dir: &Path, acknowledged: &BTreeMap<u64, Vec<u8>>) -> Option<String> {
    let disk = Arc::new(Disk::default());
    let reader = tearline_store::log_folder::reader::Reader::new(dir, signer().verifier().clone());
    match fsck(&reader) {
        Ok(report) if report.is_sound() => {}
        Ok(report) => return Some(format!("what was public is not whole: {}", report.problems[0])),
        Err(error) => return Some(format!("what was public cannot be read: {error}")),
    }
    let mut folder = match LogFolder::open_on(&disk, dir, signer(), options()) {
        Ok(folder) => folder,
        Err(error) => return Some(format!("it does not open: {error}")),
    };
    let found = check_whole(&disk, dir, "opened again");
    for (&index, entry) in acknowledged {
        match usize::try_from(index).ok().and_then(|index| found.get(index)) {
            Some(there) if there == entry => {}
            Some(_) => return Some(format!("entry {index} is another one")),
            None => return Some(format!("entry {index} of {} is lost", acknowledged.len())),
        }
    }
    let appended = folder.append(&entries(0, 3)).expect("the next append works");
    assert_eq!(appended.first, found.len() as u64);
    drop(folder);
    check_whole(&disk, dir, "appended to");
    None
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let done =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) }
}

/// A mounted file system, until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn image(image: &Path, at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
        // The kernel commits every few seconds by itself; here only the writer's own syncs are to count.
        let (image, shown) = (image.to_string_lossy().into_owned(), at.to_string_lossy().into_owned());
        run("mount", &["-t", "ext4", "-o", "loop,commit=300", &image, &shown])?;
        Ok(Self(at.to_owned()))
    }

    fn tmpfs(at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
        run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", &at.to_string_lossy()])?;
        Ok(Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = run("umount", &[&self.0.to_string_lossy()]) {
            drop(writeln!(io::stderr(), "could not unmount {}: {error}", self.0.display()));
        }
    }
}

/// Whether all threads of a process have stopped, so that no system call of it is under way.
fn has_stopped(process: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return true };
    tasks.flatten().all(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['T', 'Z', 'X']))
    })
}

/// Lets a writer write until it has acknowledged `until`, stops it, cuts the power, and says what is wrong after it.
fn power_failure(place: &Path, mode: &str, until: usize) -> Result<Option<String>, String> {
    let image = place.join(format!("{mode}-{until}.img"));
    let file = std::fs::File::create(&image).map_err(|error| error.to_string())?;
    file.set_len(64 << 20).map_err(|error| error.to_string())?;
    run("mkfs.ext4", &["-q", "-F", &image.to_string_lossy()])?;
    let copy = place.join("copy.img");
    let told = {
        let mounted = Mounted::image(&image, &place.join("mounted"))?;
        let dir = mounted.0.join("log");
        drop(LogFolder::create(&dir, signer()).expect("an empty place"));
        run("sync", &["-f", &mounted.0.to_string_lossy()])?;
        let (mut writer, mut output) = start(mode, &dir, &[]);
        let mut told = acknowledged(&mut output, until);
        run("kill", &["-STOP", &writer.id().to_string()])?;
        while !has_stopped(writer.id()) {
            std::thread::yield_now();
        }
        run("cp", &[&*image.to_string_lossy(), &*copy.to_string_lossy()])?;
        run("kill", &["-KILL", &writer.id().to_string()])?;
        writer.wait().map_err(|error| error.to_string())?;
        // What it had said before it was stopped lies in the pipe.
        told.extend(acknowledged(&mut output, usize::MAX));
        told
    };
    assert!(told.len() >= until, "the writer wrote");
    let mounted = Mounted::image(&copy, &place.join("after"))?;
    Ok(wrong_with(&mounted.0.join("log"), &told))
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_fails_and_without_syncs_it_would_be() {
    let place = tempfile::tempdir().expect("a place for files");
    // Moments that are early, late, and around the ends of segments and tiles.
    for until in [1, 7, 60, 200, 350, 520, 900] {
        match power_failure(place.path(), "synced", until) {
            Ok(wrong) => assert_eq!(wrong, None, "stopped after {until} acknowledgements"),
            Err(reason) => {
                skipped(&format!(
                    "no power failure is tried, because no ext4 image can be mounted here (as root, with loop \
                     devices): {reason}"
                ));
                return;
            }
        }
    }
    let noticed = [200, 900].map(|until| power_failure(place.path(), "unsynced", until).expect("as before"));
    assert!(noticed.iter().all(Option::is_some), "without syncs something must be lost: {noticed:?}");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    for until in [1, 30, 300] {
        let place = tempfile::tempdir().expect("a place for files");
        let dir = place.path().join("log");
        drop(LogFolder::create(&dir, signer()).expect("an empty place"));
        let (mut writer, mut output) = start("synced", &dir, &[]);
        let mut told = acknowledged(&mut output, until);
        writer.kill().expect("it is ours");
        writer.wait().expect("it has ended");
        told.extend(acknowledged(&mut output, usize::MAX));
        assert_eq!(wrong_with(&dir, &told), None, "killed after {until} acknowledgements");
    }
}

#[test]
fn two_processes_take_turns_and_lose_nothing() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    drop(LogFolder::create(&dir, signer()).expect("an empty place"));
    let both = [start("turns", &dir, &[]), start("turns", &dir, &[])];
    let mut told = BTreeMap::new();
    for (mut writer, mut output) in both {
        told.extend(acknowledged(&mut output, usize::MAX));
        assert!(writer.wait().expect("it has ended").success());
    }
    assert_eq!(told.len(), 40, "no number was given twice");
    assert_eq!(wrong_with(&dir, &told), None);
}

#[test]
fn a_clock_set_back_changes_nothing() {
    if run("faketime", &["--version"]).is_err() {
        skipped("no clock is set back, because there is no faketime here");
        return;
    }
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    LogFolder::create(&dir, signer()).expect("an empty place").append(&entries(0, 3)).expect("works");
    let (mut writer, mut output) = start("turns", &dir, &["faketime", "2001-09-09 01:46:40"]);
    let told = acknowledged(&mut output, usize::MAX);
    assert!(writer.wait().expect("it has ended").success());
    assert_eq!(told.len(), 20);
    assert_eq!(wrong_with(&dir, &told), None);
}

#[test]
fn a_full_disk_refuses_the_append_and_goes_on_when_there_is_room() {
    let place = tempfile::tempdir().expect("a place for files");
    let mounted = match Mounted::tmpfs(&place.path().join("small")) {
        Ok(mounted) => mounted,
        Err(reason) => {
            skipped(&format!("no disk is filled, because no tmpfs can be mounted here (as root): {reason}"));
            return;
        }
    };
    let dir = mounted.0.join("log");
    let small = Options { segment: 16 << 10, ..Options::default() };
    let disk = Arc::new(Disk::default());
    let mut folder = LogFolder::create_on(&disk, &dir, signer(), small).expect("there is room");
    let mut told = BTreeMap::new();
    let refused = loop {
        let batch = entries(told.len() as u64, 40);
        match folder.append(&batch) {
            Ok(appended) => told.extend((appended.first..).zip(batch)),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&refused, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull),
        "{refused:?}"
    );
    drop(folder);
    let reader = tearline_store::log_folder::reader::Reader::new(&dir, signer().verifier().clone());
    assert!(fsck(&reader).expect("it can be read").is_sound(), "what is public is whole");
    run("mount", &["-o", "remount,size=8m", &mounted.0.to_string_lossy()]).expect("it can be made larger");
    assert_eq!(wrong_with(&dir, &told), None);
}
