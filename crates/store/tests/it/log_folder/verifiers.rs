//! Programs that are not ours verify what we write: `testdata/verifiers`. Where they are not installed, the tests say so
//! loudly and pass; continuous integration installs them.

use super::{check_whole, signer, skipped};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::cosignature::{self, MAX_TIME};
use tearline_log::note::{Signature, VerifierKey};
use tearline_log::witness::Request;
use tearline_log::{cose, merkle};
use tearline_store::log_folder::LogFolder;
use tearline_store::log_folder::storage::Disk;

/// Sizes at which the log was published: in the middle of a tile, at its end, and beyond.
const SIZES: [u64; 6] = [1, 255, 256, 300, 65_600, 70_000];

/// Where the sources of the verifiers are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/verifiers")
}

/// Where what they need is built or installed.
fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// Entries of the shape of ours: 33 bytes, of which the first is 1.
fn commitments(first: u64, end: u64) -> Vec<Vec<u8>> {
    let commitment = |number: u64| {
        let mut entry = vec![1];
        entry.extend_from_slice(&tearline_log::hash::Hash::of_leaf(&number.to_be_bytes()).0);
        entry
    };
    (first..end).map(commitment).collect()
}

/// A log that was published at each of the sizes, and its checkpoints.
fn log_of(dir: &Path, origin_of_entries: u64) -> (LogFolder, Vec<SignedCheckpoint>) {
    let mut folder = LogFolder::create(dir, signer()).expect("an empty place");
    let mut checkpoints = Vec::new();
    for end in SIZES {
        let batch = commitments(origin_of_entries + folder.checkpoint().size(), origin_of_entries + end);
        folder.append(&batch).expect("the disk works");
        checkpoints.push(folder.checkpoint().clone());
    }
    (folder, checkpoints)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a place for files");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("readable").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("it can be copied");
        }
    }
}

/// What every verifier must refuse: copies of the log with one bit flipped, and a fork with the old checkpoint history.
const DAMAGES: [(&str, &str, usize); 4] = [
    ("checkpoint", "checkpoint", 25),
    ("entry", "tile/entries/100", 1000),
    ("tile", "tile/0/200", 77),
    ("upper-tile", "tile/1/000", 78),
];

/// Makes the folder that the verifiers read.
fn prepare(work: &Path) -> LogFolder {
    let (folder, checkpoints) = log_of(&work.join("log"), 0);
    let key = signer().verifier().to_string();
    std::fs::write(work.join("keys.txt"), format!("{key}\n")).expect("writable");
    std::fs::create_dir(work.join("older")).expect("writable");
    for checkpoint in &checkpoints[..5] {
        std::fs::write(work.join("older").join(checkpoint.size().to_string()), checkpoint.to_string())
            .expect("writable");
    }
    for (name, file, at) in DAMAGES {
        let damaged = work.join("damaged").join(name);
        copy(&work.join("log"), &damaged);
        let mut bytes = std::fs::read(damaged.join(file)).expect("it is there");
        bytes[at] ^= 1;
        std::fs::write(damaged.join(file), bytes).expect("writable");
    }
    let (fork, forked) = log_of(&work.join("fork"), 1_000_000);
    copy(fork.reader().dir(), &work.join("damaged/fork"));
    let reader = folder.reader();
    let newest = &checkpoints[5];
    let (entry, proof) = reader.entry_proof(newest, 4711).expect("it is whole");
    std::fs::write(work.join("entry"), &entry).expect("writable");
    std::fs::write(work.join("index"), "4711").expect("writable");
    std::fs::write(work.join("entry.tlog-proof"), proof.to_string()).expect("writable");
    let receipt = cose::receipt(&signer(), 4711, newest.size(), &proof.path, newest.root());
    std::fs::write(work.join("entry.cose"), receipt).expect("writable");
    requests(work, &folder, &checkpoints, &fork, &forked);
    folder
}

/// What is sent to the witness, one after the other, with the answer that is due.
fn requests(
    work: &Path,
    folder: &LogFolder,
    checkpoints: &[SignedCheckpoint],
    fork: &LogFolder,
    forked: &[SignedCheckpoint],
) {
    std::fs::create_dir(work.join("requests")).expect("writable");
    let honest = |old: u64, at: usize| {
        let proof = merkle::consistency(old, checkpoints[at].size(), |node| {
            folder.reader().node(folder.checkpoint(), node)
        });
        Request { old, proof: proof.expect("it is whole"), checkpoint: checkpoints[at].note().clone() }
    };
    let of_fork = |old: u64, at: usize| fork.reader().witness_request(old, &forked[at]).expect("it is whole");
    let mut unproven = honest(300, 5);
    unproven.proof.swap(0, 1);
    let list = [
        ("200-the-first-checkpoint", honest(0, 3)),
        ("409-a-rollback", honest(255, 2)),
        ("409-a-wrong-old-size", honest(0, 5)),
        ("422-a-fork-of-the-same-size", Request { old: 300, proof: Vec::new(), ..of_fork(0, 3) }),
        ("422-a-fork-that-goes-on", of_fork(300, 5)),
        ("422-a-bad-proof", unproven),
        ("200-the-log-has-grown", honest(300, 5)),
        ("200-the-same-again", honest(70_000, 5)),
    ];
    for (number, (name, request)) in list.iter().enumerate() {
        std::fs::write(work.join("requests").join(format!("{number}-{name}")), request.to_string())
            .expect("writable");
    }
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Builds the Go program; `None`, with a loud line, where that cannot be.
fn go_program() -> Option<PathBuf> {
    let program = target().join("verifiers-go/verify");
    std::fs::create_dir_all(target().join("verifiers-go")).expect("the target folder is writable");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg("main.go")
        .current_dir(sources().join("go"))
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", std::path::absolute(target().join("verifiers-go/cache")).expect("a path"))
        .env("GOFLAGS", "")
        .output();
    let reason = match built {
        Ok(built) if built.status.success() => return Some(program),
        Ok(built) => shown(&built),
        Err(error) => error.to_string(),
    };
    assert!(!reason.contains("main.go:"), "the program does not compile: {reason}");
    skipped(&format!(
        "the Go program does not verify the log, because it cannot be built here (install golang-go and \
         golang-golang-x-mod-dev): {}",
        reason.trim()
    ));
    None
}

#[test]
fn a_go_program_verifies_the_log_and_catches_damage_and_a_fork() {
    let Some(program) = go_program() else { return };
    let place = tempfile::tempdir().expect("a place for files");
    let work = place.path();
    drop(prepare(work));
    let key = signer().verifier().to_string();
    let older: Vec<PathBuf> =
        SIZES[..5].iter().map(|size| work.join("older").join(size.to_string())).collect();
    let run =
        |folder: &Path| Command::new(&program).arg(folder).arg(&key).args(&older).output().expect("it runs");
    let sound = run(&work.join("log"));
    assert!(sound.status.success(), "{}", shown(&sound));
    assert_eq!(shown(&sound), "verified 70000 entries, 100 inclusions, 5 older checkpoints\n");
    for damage in DAMAGES.map(|(name, ..)| name).into_iter().chain(["fork"]) {
        let damaged = run(&work.join("damaged").join(damage));
        assert!(!damaged.status.success(), "{damage} goes unseen: {}", shown(&damaged));
    }
    // A fork alone is a sound log: what catches it is the older checkpoint.
    let alone = Command::new(&program).arg(work.join("damaged/fork")).arg(&key).output().expect("it runs");
    assert!(alone.status.success(), "{}", shown(&alone));
}

#[test]
fn programs_from_pypi_verify_the_log_and_a_live_witness_cosigns_it() {
    let python =
        std::env::var_os("TEARLINE_TEST_VERIFIERS").map_or_else(|| target().join("verifiers"), PathBuf::from);
    let python = std::path::absolute(python.join("bin/python")).expect("a path");
    let installed = Command::new(&python)
        .args(["-c", "import aics_tlog, aics_witness, scitt_cose, tlog_scales"])
        .output();
    if !installed.is_ok_and(|installed| installed.status.success()) {
        skipped(&format!(
            "the programs from PyPI do not verify the log, because {} cannot import them (see \
             testdata/verifiers/README.md)",
            python.display()
        ));
        return;
    }
    let place = tempfile::tempdir().expect("a place for files");
    let work = place.path();
    let mut folder = prepare(work);
    let verified = Command::new(&python).arg(sources().join("python/verify.py")).arg(work).output();
    let verified = verified.expect("python runs");
    assert!(verified.status.success(), "{}", shown(&verified));
    // What the witness answered is a cosignature of our newest checkpoint.
    let key = std::fs::read_to_string(work.join("witness-key.txt")).expect("it was left");
    let witness: VerifierKey = key.trim().parse().expect("a witness's key");
    let answer = std::fs::read_to_string(work.join("answers/6-200-the-log-has-grown")).expect("it was left");
    let mut cosigned = folder.checkpoint().note().clone();
    for line in answer.lines() {
        cosigned.add(line.parse::<Signature>().expect("a signature line"));
    }
    let added = folder.cosign(&cosigned, std::slice::from_ref(&witness)).expect("it verifies");
    assert_eq!((added.len(), added[0].witness.as_str()), (1, "witness.example/w1"));
    let read = folder.reader().checkpoint().expect("it verifies");
    cosignature::verify(&read, &witness, MAX_TIME).expect("it is there");
    let conflict = std::fs::read_to_string(work.join("answers/2-409-a-wrong-old-size")).expect("it was left");
    assert_eq!(conflict, "300\n", "the witness says what it has seen");
    assert_eq!(check_whole(&Arc::new(Disk::default()), &work.join("log"), "cosigned").len(), 70_000);
}
