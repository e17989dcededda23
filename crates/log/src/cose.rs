//! The proof for one entry as a COSE receipt (RFC 9942, with the claims of RFC 9943), for readers who have tools for
//! those and not for C2SP's. An export: the tiles and checkpoints are the truth.

use crate::hash::Hash;
use crate::merkle::{self, BadProof};
use crate::note::{Signer, VerifierKey, verify_bytes};
use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use thiserror::Error;

/// COSE header parameters (RFC 9052, 9597, 9942) and their values here.
const ALG: i64 = 1;
const EDDSA: i64 = -8;
const KID: i64 = 4;
const CWT_CLAIMS: i64 = 15;
const CWT_ISS: i64 = 1;
const CWT_SUB: i64 = 2;
const VDS: i64 = 395;
const RFC9162_SHA256: i64 = 1;
const VDP: i64 = 396;
const INCLUSION: i64 = -1;
/// The tag of a `COSE_Sign1` (RFC 9052, section 2).
const SIGN1: u64 = 18;

/// The longest path that is read.
const MAX_PATH: u64 = 63;

/// Why a receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadReceipt {
    /// Not of the form.
    #[error("not a COSE receipt that can be read here: {0}")]
    Form(&'static str),
    /// The path does not have the length it must.
    #[error(transparent)]
    Path(#[from] BadProof),
    /// The signature is not the log's, or the entry or the path is altered: a receipt does not tell these apart.
    #[error("the receipt does not verify: the entry or the receipt is altered, or another log signed it")]
    Signature,
}

impl From<minicbor::decode::Error> for BadReceipt {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Form("its CBOR is malformed")
    }
}

/// Writes a receipt: the log signs the root, the path stands beside. The payload is left out (detached), as RFC 9942
/// has it: whoever verifies makes the root from the entry and the path.
///
/// `iss` is the log's origin, `sub` the origin and the entry's number, `kid` the ID of the log's note key; all of it is
/// signed.
pub fn receipt(signer: &Signer, index: u64, size: u64, path: &[Hash], root: Hash) -> Vec<u8> {
    let protected = protected(signer.verifier(), index);
    let signature = signer.sign_bytes(&to_be_signed(&protected, root));
    let proof = write(|encoder| {
        encoder.array(3)?.u64(size)?.u64(index)?.array(path.len() as u64)?;
        path.iter().try_for_each(|hash| encoder.bytes(&hash.0).map(drop))
    });
    write(|encoder| {
        encoder.tag(Tag::new(SIGN1))?.array(4)?.bytes(&protected)?;
        encoder.map(1)?.i64(VDP)?.map(1)?.i64(INCLUSION)?.array(1)?.bytes(&proof)?;
        encoder.null()?.bytes(&signature)?;
        Ok(())
    })
}

/// Verifies a receipt that [`receipt`] wrote for an entry, by the log's key. Gives the entry's number.
///
/// The size of the log is not given: a receipt signs the root and not the size, so that the size in it shows no more than
/// how the path leads to the root.
///
/// # Errors
/// What is wrong with it.
pub fn verify(receipt: &[u8], entry: &[u8], log: &VerifierKey) -> Result<u64, BadReceipt> {
    use BadReceipt::Form;
    let mut decoder = Decoder::new(receipt);
    if decoder.tag()? != Tag::new(SIGN1) || decoder.array()? != Some(4) {
        return Err(Form("expected a COSE_Sign1"));
    }
    let found = decoder.bytes()?;
    let proof = proof_in(&mut decoder)?;
    if decoder.datatype()? != Type::Null {
        return Err(Form("expected no payload, since the root is made from the entry"));
    }
    decoder.null()?;
    let signature = decoder.bytes()?;
    if decoder.position() != receipt.len() {
        return Err(Form("bytes follow its end"));
    }
    let (size, index, path) = read_proof(proof)?;
    // Compared and not read: a header with another algorithm, another kind of tree, another log or another entry is
    // refused, and so is anything critical.
    let protected = protected(log, index);
    if found != protected {
        return Err(Form("its protected header is not the one of this log and entry"));
    }
    let root = merkle::root_of_inclusion(Hash::of_leaf(entry), index, size, &path)?;
    verify_bytes(log, &to_be_signed(&protected, root), signature).map_err(|_| BadReceipt::Signature)?;
    Ok(index)
}

/// The protected header.
fn protected(log: &VerifierKey, index: u64) -> Vec<u8> {
    write(|encoder| {
        encoder.map(4)?.i64(ALG)?.i64(EDDSA)?.i64(KID)?.bytes(&log.id().to_be_bytes())?;
        encoder.i64(CWT_CLAIMS)?.map(2)?.i64(CWT_ISS)?.str(log.name())?;
        encoder.i64(CWT_SUB)?.str(&format!("{}/{index}", log.name()))?.i64(VDS)?.i64(RFC9162_SHA256)?;
        Ok(())
    })
}

/// What the log signs: `Sig_structure` of RFC 9052, section 4.4.
fn to_be_signed(protected: &[u8], root: Hash) -> Vec<u8> {
    write(|encoder| {
        encoder.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(&root.0)?;
        Ok(())
    })
}

/// The one inclusion proof in the unprotected header.
fn proof_in<'b>(decoder: &mut Decoder<'b>) -> Result<&'b [u8], BadReceipt> {
    use BadReceipt::Form;
    let shape = Form("expected one inclusion proof in its unprotected header and nothing else");
    if decoder.map()? != Some(1) || decoder.i64()? != VDP || decoder.map()? != Some(1) {
        return Err(shape);
    }
    if decoder.i64()? != INCLUSION || decoder.array()? != Some(1) {
        return Err(shape);
    }
    Ok(decoder.bytes()?)
}

/// Reads `[size, index, [hash, …]]`.
fn read_proof(bytes: &[u8]) -> Result<(u64, u64, Vec<Hash>), BadReceipt> {
    use BadReceipt::Form;
    let mut decoder = Decoder::new(bytes);
    if decoder.array()? != Some(3) {
        return Err(Form("its proof is not [size, index, path]"));
    }
    let (size, index) = (decoder.u64()?, decoder.u64()?);
    let length = decoder.array()?.filter(|&length| length <= MAX_PATH);
    let length = length.ok_or(Form("its path is too long"))?;
    let mut path = Vec::new();
    for _ in 0..length {
        let hash = decoder.bytes()?.try_into().map_err(|_| Form("its path has a hash not of 32 bytes"))?;
        path.push(Hash(hash));
    }
    if decoder.position() != bytes.len() {
        return Err(Form("bytes follow its proof"));
    }
    if size > merkle::MAX_SIZE {
        return Err(Form("the log it speaks of is too large"));
    }
    Ok((size, index, path))
}

/// Writes CBOR to memory, which cannot fail.
fn write(
    body: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), minicbor::encode::Error<std::convert::Infallible>>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    body(&mut Encoder::new(&mut bytes)).expect("writing to memory does not fail");
    bytes
}
