//! `tearline seal` and `tearline open`: for the recipient's eyes alone.

use super::answer::delivered;
use super::book::Book;
use super::keys::public_of;
use super::{files, verify};
use crate::args::{OpenArgs, SealArgs};
use crate::failure::Ending;
use crate::output;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::PathBuf;
use tearline_disclosure::bytes::{Bytes, Digest, Salt};
use tearline_disclosure::files::{DeliveryFile, File, Recipient, VERSION};
use tearline_disclosure::statement::{Delivery, Signed, recipient};
use tearline_disclosure::verify::{PUBLIC, Trust};
use tearline_store::keys::random;
use tearline_store::seal;

/// Runs `tearline seal`.
pub(crate) fn seal(args: &SealArgs) -> Result<Ending> {
    let to = files::public(&args.to)?;
    let (file, view) = verify::sound(&args.release, &Trust::default())?;
    match view.recipient.as_deref() {
        Some(name) if name == to.name || name == PUBLIC => {}
        Some(name) => bail!("the release is addressed to {name}, and the keys are those of {}", to.name),
        None => {
            bail!("the release does not say to whom it goes; seal the file that `tearline release` wrote")
        }
    }
    let release = serde_json::to_vec(&file)?;
    let path = args.output.clone().unwrap_or_else(|| {
        let mut name = args.release.clone().into_os_string();
        name.push(".sealed");
        PathBuf::from(name)
    });
    let sealed = if args.receipt_first {
        let key = args.key.as_deref().context("clap asks for the key with --receipt-first")?;
        let keys = files::secret(key, &args.passphrase)?;
        let mut book = Book::open(&args.desk.desk, &keys)?;
        let (secret, once) = seal::generate();
        let locked = STANDARD.encode(seal::seal(&once, &release)?);
        let own = public_of(&keys)?;
        let salt: Salt = Bytes(random()?);
        let statement = view.statement.context("a sound release has a statement")?;
        let delivery = Delivery {
            v: 1,
            iss: own.name.clone(),
            iat: book.time()?,
            jti: Bytes(random()?),
            log: own.log_origin().to_owned(),
            to: recipient(&salt, &to.name),
            locked: Digest::of(locked.as_bytes()),
            release: statement.digest(),
            nonce: Bytes(random()?),
        };
        let signed = Signed::sign(delivery, &keys.sign());
        // The key is kept before anything that needs it is given out.
        book.desk.keep(&format!("unlock/{}", signed.digest()), secret.as_bytes())?;
        let recipient = Recipient { name: to.name.clone(), salt };
        let delivery =
            DeliveryFile { version: VERSION, issuer: own, statement: signed.jws, recipient, locked };
        serde_json::to_vec(&delivery)?
    } else {
        seal::seal(&to.seal, &release).with_context(|| format!("{} cannot be used", args.to.display()))?
    };
    output::to_file(&path, &sealed)?;
    output::to_stdout(&format!("{}   only {} can read it\n", path.display(), to.name))?;
    Ok(Ending::Done)
}

/// Runs `tearline open`.
pub(crate) fn open(args: &OpenArgs) -> Result<Ending> {
    let keys = files::secret(&args.key.key, &args.key.passphrase)?;
    let sealed = files::bytes(&args.sealed)?;
    let release = match (&args.unlock, File::read(&sealed)) {
        (Some(unlock), Ok(File::Delivery(delivery))) => {
            let signed = delivered(&delivery, &Trust::default(), keys.name())?;
            let File::Unlock(unlock) = files::file(unlock)? else {
                bail!("{} is not the key to a delivery", unlock.display());
            };
            if unlock.delivery != signed.digest() {
                bail!("the key is that to another delivery");
            }
            let decode = |text: &str| STANDARD.decode(text).context("it is not base64");
            let secret = seal::open(keys.seal(), &decode(&unlock.key)?)
                .context("the key to the delivery cannot be opened")?;
            let secret = str::from_utf8(&secret).context("the key to the delivery is none")?;
            seal::open(secret, &decode(&delivery.locked)?).context("the delivery cannot be opened")?
        }
        (None, Ok(File::Delivery(_))) => bail!(
            "this is locked: the originator gives the key for your receipt. Make one with `tearline receipt {}`, send it, \
             and open with --unlock what comes back",
            args.sealed.display()
        ),
        _ => seal::open(keys.seal(), &sealed)
            .with_context(|| format!("{} cannot be opened", args.sealed.display()))?,
    };
    let File::Release(file) = File::read(&release).context("what was sealed is not a release")? else {
        bail!("what was sealed is not a release");
    };
    let trust = Trust { keys: Vec::new(), own: Some(keys.name().to_owned()) };
    let view = tearline_disclosure::verify::release(&file, &trust);
    output::to_file(&args.output, &release)?;
    let failed = view.checks.failed();
    let text = match failed {
        Some(check) => format!(
            "{}   opened, but it does not hold: {}: {}\n",
            args.output.display(),
            check.name,
            check.what
        ),
        None => format!("{}   check it with `tearline verify`\n", args.output.display()),
    };
    output::to_stdout(&text)?;
    Ok(if failed.is_some() { Ending::No } else { Ending::Done })
}
