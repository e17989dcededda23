//! March 2024 from the determination to the disputes, by the command alone, as two people would do it by e-mail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder in which everybody of the story keeps their files.
struct Stage {
    folder: TempDir,
    report: PathBuf,
}

impl Stage {
    fn new(example: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(folder.path().join("passphrase"), "correct horse battery\n").expect("written");
        let report =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example).join("report.toml");
        Self { folder, report: report.canonicalize().expect("the example is there") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a command answers; words are split at spaces, `REPORT` stands for the report, quotes keep words together.
    fn ask(&self, line: &str) -> Output {
        let mut words: Vec<String> = Vec::new();
        for (number, part) in line.split('"').enumerate() {
            if number % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        let words = words
            .iter()
            .map(|word| if word == "REPORT" { self.report.display().to_string() } else { word.clone() });
        Command::new(env!("CARGO_BIN_EXE_tearline"))
            .current_dir(self.folder.path())
            .env("TEARLINE_PASSPHRASE_FILE", self.path("passphrase"))
            .args(words)
            .output()
            .expect("the command runs")
    }

    /// The standard output of a command that does what is asked.
    fn done(&self, line: &str) -> String {
        let ran = self.ask(line);
        assert_eq!(ran.status.code(), Some(0), "{line}\n{}{}", text(&ran.stdout), text(&ran.stderr));
        flat(&ran.stdout)
    }

    /// Everything that a command says that does not do what is asked.
    fn refused(&self, line: &str, code: i32) -> String {
        let ran = self.ask(line);
        assert_eq!(ran.status.code(), Some(code), "{line}\n{}{}", text(&ran.stdout), text(&ran.stderr));
        flat(&ran.stdout) + &flat(&ran.stderr)
    }

    fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).expect("there")).expect("JSON")
    }

    /// Keys and a desk for everybody in the story.
    fn people(&self) {
        for name in ["desk.example", "partner.example", "analyst.example", "chief.example"] {
            self.done(&format!("key new {name} --work-factor 10"));
        }
        self.done("desk new --key desk.example.key");
        self.done("desk know partner.example.pub");
        self.done("desk know analyst.example.pub");
        self.done("desk know chief.example.pub --senior");
    }
}

/// A text on one line: where a page breaks its lines is not what is told here.
fn flat(bytes: &[u8]) -> String {
    text(bytes).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

const WARNING: &str = r#"
[[text]]
lang = "en"
headline = "Security alert: avoid large gatherings over the next 48 hours"
description = "The embassy is monitoring reports that extremists plan to target large gatherings in Moscow, including concerts."
instruction = "Avoid large gatherings. Be aware of your surroundings."
"#;

#[test]
fn march_2024_from_determination_to_dispute() {
    let stage = Stage::new("march-2024");
    stage.people();
    std::fs::write(stage.path("warning.toml"), WARNING).expect("written");

    // Early March: there is a duty to warn. Who drafts does not approve, and who waives is a senior.
    let draft =
        "determine draft REPORT --key analyst.example.key --threat killing --credible --specific --impending";
    let denied = stage.refused(&format!("{draft} --decision no-duty --basis \"two sources\" -o no.json"), 2);
    assert!(denied.contains("there is a duty"), "{denied}");
    stage.done(&format!("{draft} --decision warn --basis \"two sources, graded B2 and C3\" -o draft.json"));
    let own = stage.refused(
        "determine approve draft.json --key analyst.example.key --desk-key desk.example.key -o x.json",
        1,
    );
    assert!(own.contains("another person"), "{own}");
    stage.done("determine approve draft.json --key chief.example.key --desk-key desk.example.key -o determination.json");

    // One's own citizens are not told what the public is not.
    let double =
        stage.refused("release REPORT --audience citizens --key desk.example.key --texts warning.toml", 1);
    assert!(double.contains("No Double Standard"), "{double}");

    // 7 March: the public. A text that says more than the plan is stopped, and nothing of it is signed.
    let loose = WARNING.replace("extremists plan", "ИГИЛ-К, that is ISIS-K, plan");
    std::fs::write(stage.path("loose.toml"), loose).expect("written");
    let flagged = stage.refused(
        "release REPORT --audience public --key desk.example.key --texts loose.toml -o public.json",
        3,
    );
    assert!(flagged.contains("\"ISIS-K\" gives away who"), "{flagged}");
    assert!(!stage.path("public.json").exists());
    stage.done("release REPORT --audience public --key desk.example.key --texts warning.toml -o public.json");
    stage.done(
        "release REPORT --audience citizens --key desk.example.key --texts warning.toml -o citizens.json",
    );
    let again =
        stage.refused("release REPORT --audience public --key desk.example.key --no-text -o again.json", 2);
    assert!(again.contains("--extend"), "{again}");

    // The partner: the same, with one detail more, sealed, and to nobody else.
    let release = "release REPORT --audience partner --to partner.example --key desk.example.key --no-text";
    stage.done(&format!("{release} -o partner.json"));
    stage.done("seal partner.json --to partner.example.pub -o partner.sealed");
    let other = stage.refused("open partner.sealed --key analyst.example.key -o stolen.json", 1);
    assert!(other.contains("not sealed to this key") && !stage.path("stolen.json").exists(), "{other}");
    stage.done("open partner.sealed --key partner.example.key -o got.json");
    let passed_on = stage.refused("verify got.json --key desk.example.pub --as analyst.example", 3);
    assert!(passed_on.contains("somebody passed it on"), "{passed_on}");
    let both = stage.done("verify public.json got.json --key desk.example.pub");
    assert!(both.contains("show the same token") && both.contains("got.json shows more of: who."), "{both}");
    let nothing = stage.refused(&format!("{release} --extend -o more.json"), 1);
    assert!(nothing.contains("nothing to extend"), "{nothing}");

    // The partner signs that it got it, holds that the place is another, and holds the desk to one history.
    stage.done("receipt got.json --key partner.example.key --trust desk.example.pub -o receipt.json");
    stage.done("accept receipt.json --key desk.example.key");
    let finding = "finding got.json --key partner.example.key --detail where --verdict conflicting";
    stage.refused(&format!("{finding} -o none.json"), 2);
    stage.done(&format!("{finding} --value \"Saint Petersburg\" -o finding.json"));
    let accepted = stage.done("accept finding.json --key desk.example.key");
    assert!(accepted.contains("conflicting; they hold \"Saint Petersburg\""), "{accepted}");
    stage.done("log witness desk/log --of desk.example.pub --key partner.example.key -o cosigned.json");
    stage.done("accept cosigned.json --key desk.example.key");

    // Update, cancel; each names what it takes the place of.
    stage.done("release REPORT --audience public --key desk.example.key --no-text --update --reason \"The hours have passed\" -o public2.json");
    stage.done("release REPORT --audience public --key desk.example.key --cancel --reason \"It has ended\" -o public3.json");
    let line = stage.done("verify public.json public2.json public3.json --key desk.example.pub");
    assert!(line.contains("public3.json takes the place of public2.json."), "{line}");
    assert!(stage.done("log fsck").starts_with("Sound: "));
    stage.done("log verify desk/log --key desk.example.pub public.json got.json public3.json");

    // Afterwards. "They told us nothing": it was acknowledged, by name, and when.
    stage.done("evidence partner.json -o case.tearline --reveal-recipient --with-determinations");
    let keys =
        "--key desk.example.pub --key partner.example.pub --key chief.example.pub --key analyst.example.pub";
    let case = stage.done(&format!("verify case.tearline {keys}"));
    assert!(case.contains("partner.example acknowledged it to desk.example"), "{case}");
    assert!(case.contains("cosigned by partner.example/witness"), "{case}");
    assert!(case.contains("something else: Saint Petersburg"), "{case}");
    assert!(case.contains("warn: drafted by analyst.example"), "{case}");
    // "It was of a general nature": how specific it was, in numbers.
    assert!(
        case.contains("RU / Moscow, 2 names deep") && case.contains("3 days, from 2024-03-06T21:00:00Z"),
        "{case}"
    );
    // "Was it the basis of the public warning?": both were committed to by one entry, before either was released.
    let basis = stage.done("verify case.tearline public.json got.json --key desk.example.pub");
    assert!(basis.contains("committed to together, before either was released"), "{basis}");

    // Without the holder's leave the bundle does not say to whom.
    stage.done("evidence partner.json -o blind.tearline");
    let blind = std::fs::read_to_string(stage.path("blind.tearline")).expect("there");
    assert!(!blind.contains("partner.example\",\n      \"salt") && !blind.contains("Saint Petersburg"));
    let blind = stage.done("verify blind.tearline --key desk.example.pub");
    assert!(
        blind.contains("to whom it went is not revealed") && !blind.contains("acknowledged it"),
        "{blind}"
    );

    // Nothing that was not released is in anything that anybody got.
    for name in ["public.json", "public2.json", "public3.json", "citizens.json", "blind.tearline"] {
        let file = std::fs::read_to_string(stage.path(name)).expect("there");
        let decoded = everything_decoded(&file);
        for secret in ["firearms", "9 March", "one hall", "more than one source", "streams"] {
            assert!(!decoded.contains(secret), "{name} holds {secret:?}");
        }
        if name != "blind.tearline" {
            assert!(!decoded.contains("ISIS-K"), "{name} holds the group's name");
        }
    }
}

#[test]
fn a_victim_warns_its_sector_and_proves_it() {
    let stage = Stage::new("hospital");
    stage.people();
    // The policies are published before there is a report, so that the choice itself gives nothing away.
    stage.refused("release REPORT --audience sector --key desk.example.key --no-text -o sector.json", 2);
    stage.done("policy REPORT --output policies");
    let by = "--key desk.example.key --policy policies --no-text";
    stage.done(&format!("release REPORT --audience sector {by} -o sector.json"));
    stage.done(&format!("release REPORT --audience response --to partner.example {by} -o response.json"));
    let both = stage.done("verify sector.json response.json --key desk.example.pub");
    assert!(both.contains("show the same token"), "{both}");
    // A network prefix and a week are recomputed, not believed.
    assert!(both.contains("recomputed"), "{both}");
    stage.done("receipt response.json --key partner.example.key --trust desk.example.pub -o receipt.json");
    stage.done("accept receipt.json --key desk.example.key");
    stage.done("finding response.json --key partner.example.key --detail product --verdict confirmed -o finding.json");
    stage.done("accept finding.json --key desk.example.key");
    stage.done("release REPORT --audience sector --key desk.example.key --cancel --reason \"Contained\" -o cancel.json");
    stage.done("evidence response.json --reveal-recipient -o case.tearline");
    let case = stage.done("verify case.tearline --key desk.example.pub --key partner.example.pub");
    assert!(
        case.contains("partner.example acknowledged it") && case.contains("\"product\": it holds"),
        "{case}"
    );
}

/// A file with every run of base64url letters in it decoded as well, twice over.
fn everything_decoded(file: &str) -> String {
    use base64::Engine;
    let mut all = file.to_owned();
    let mut last = file.to_owned();
    for _ in 0..3 {
        let mut next = String::new();
        for run in last.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
            if let Ok(bytes) = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(run) {
                next.push_str(&String::from_utf8_lossy(&bytes));
                next.push('\n');
            }
        }
        all.push_str(&next);
        last = next;
    }
    all
}

#[test]
fn any_changed_character_of_a_release_or_a_bundle_is_noticed() {
    let stage = Stage::new("march-2024");
    stage.people();
    stage.done("release REPORT --audience public --key desk.example.key --no-text -o public.json");
    stage.done("evidence public.json -o case.tearline --reveal-recipient");
    let mut missed = Vec::new();
    for name in ["public.json", "case.tearline"] {
        let whole = std::fs::read(stage.path(name)).expect("there");
        // Every 97th character: the library's tests change every one.
        for at in (0..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            std::fs::write(stage.path("changed.json"), &changed).expect("written");
            let ran = stage.ask("verify changed.json --key desk.example.pub --as somebody");
            let same: Option<serde_json::Value> = serde_json::from_slice(&changed).ok();
            let harmless = same.is_some_and(|same| same == stage.json(name));
            // The file's own copy of the originator's keys is not used where the reader was handed them.
            let own_keys = text(&whole[..at]).matches("\"statement\"").count() == 0;
            if ran.status.code() == Some(0) && !harmless && !own_keys {
                missed.push((name, at, text(&whole[at.saturating_sub(20)..(at + 20).min(whole.len())])));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_rotated_key_leaves_old_releases_standing_and_a_revoked_one_signs_nothing_more() {
    let stage = Stage::new("march-2024");
    stage.people();
    std::fs::copy(stage.path("desk.example.pub"), stage.path("old.pub")).expect("copied");
    std::fs::copy(stage.path("desk.example.key"), stage.path("stolen.key")).expect("copied");
    let partner = "release REPORT --audience partner --to partner.example --no-text";
    stage.done("release REPORT --audience public --key desk.example.key --no-text -o public.json");
    stage.done("key rotate --key desk.example.key --next desk.example.next.key --work-factor 10");
    stage.done(&format!("{partner} --key desk.example.key -o partner.json"));
    // Whoever trusts either key follows the logged change to the other.
    for keys in ["old.pub", "desk.example.pub"] {
        let both = stage.done(&format!("verify public.json partner.json --key {keys}"));
        assert!(both.contains("1 logged change(s) of the key"), "{both}");
    }
    // The old key opens the log no more than it signs: what it signs after the change does not count.
    std::fs::copy(stage.path("stolen.key"), stage.path("desk.example.old.key")).expect("copied");
    stage.done(&format!(
        "{partner} --key desk.example.old.key --update --reason \"by a thief\" -o forged.json"
    ));
    let forged = stage.refused("verify forged.json --key old.pub", 3);
    assert!(forged.contains("replaced or revoked before it was logged"), "{forged}");
}

#[test]
fn a_locked_delivery_opens_only_for_a_receipt() {
    let stage = Stage::new("march-2024");
    stage.people();
    stage.done("release REPORT --audience partner --to partner.example --key desk.example.key --no-text -o partner.json");
    stage.done(
        "seal partner.json --to partner.example.pub --receipt-first --key desk.example.key -o locked.json",
    );
    let locked = stage.refused("open locked.json --key partner.example.key -o early.json", 1);
    assert!(
        locked.contains("gives the key for your receipt") && !stage.path("early.json").exists(),
        "{locked}"
    );
    stage.done("receipt locked.json --key partner.example.key --trust desk.example.pub -o receipt.json");
    stage.done("accept receipt.json --key desk.example.key --unlock unlock.json");
    stage.done("open locked.json --key partner.example.key --unlock unlock.json -o opened.json");
    assert_eq!(stage.json("opened.json"), stage.json("partner.json"));
    let listed = stage.done("log list");
    assert!(listed.contains("receipt") && listed.contains("unlock"), "{listed}");
}

#[test]
fn a_log_that_was_put_back_from_an_old_copy_is_found_by_the_witness_and_by_the_recipient() {
    let stage = Stage::new("march-2024");
    stage.people();
    let copy = |from: &str, to: &str| {
        let ran = Command::new("cp").args(["-r", from, to]).current_dir(stage.folder.path()).status();
        assert!(ran.expect("cp runs").success());
    };
    copy("desk", "old-desk");
    stage.done("release REPORT --audience partner --to partner.example --key desk.example.key --no-text -o partner.json");
    stage.done("log witness desk/log --of desk.example.pub --key partner.example.key -o cosigned.json");
    stage.done("receipt partner.json --key partner.example.key --trust desk.example.pub -o receipt.json");
    // Another history, signed by the same key.
    stage.done(
        "release REPORT --audience public --desk old-desk --key desk.example.key --no-text -o other.json",
    );
    let witness = stage
        .refused("log witness old-desk/log --of desk.example.pub --key partner.example.key -o again.json", 3);
    assert!(witness.contains("Not cosigned"), "{witness}");
    let together = stage.refused("verify partner.json other.json --key desk.example.pub", 3);
    assert!(together.contains("forked"), "{together}");
    let copied = stage.refused("log verify old-desk/log --key desk.example.pub partner.json", 3);
    assert!(copied.contains("forked, rewritten or rolled back"), "{copied}");
    let accepted = stage.refused("accept receipt.json --desk old-desk --key desk.example.key", 1);
    assert!(accepted.contains("rolled back"), "{accepted}");
}
