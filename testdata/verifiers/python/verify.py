"""Verifies a log of Tearline with programs from PyPI that are not ours: tlog-scales, aics-tlog, scitt-cose, and a live
witness, aics-witness, on the loopback interface. Called by the tests of tearline-store with a folder that holds

    keys.txt              the log's key
    log/                  the log
    damaged/NAME/         copies of it, each damaged
    older/SIZE            checkpoints that it had
    entry, index          an entry and its number
    entry.tlog-proof      its proof
    entry.cose            its receipt
    requests/N-STATUS-…   bodies of add-checkpoint requests in their order, with the answer that is due

and in which it leaves the witness's key in witness-key.txt and its answers to the requests in answers/.
"""

import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import aics_tlog
import scitt_cose.receipt
import tlog_scales.backend
import tlog_scales.reader
import tlog_scales.signing
import tlog_scales.tiles
import tlog_scales.tlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WORK = pathlib.Path(sys.argv[1])
KEY = (WORK / "keys.txt").read_text().splitlines()[0]


def expect(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")
    print(f"ok: {what}")


def refuses(check, what):
    """That a check fails, by exception or by a false answer."""
    try:
        answer = check()
    except Exception as error:  # noqa: BLE001 - each library has its own
        print(f"ok: refuses {what} ({type(error).__name__})")
        return
    expect(not answer, f"refuses {what}")


def scales(folder):
    """tlog-scales: the checkpoint's signature, the root from the tiles, inclusion and consistency."""
    reader = tlog_scales.reader.TilesReader(tlog_scales.backend.LocalBackend(folder))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(tlog_scales.signing.Vkey.from_string(KEY))
    if reader.calculate_root_hash() != checkpoint.root_hash:
        return False
    for index in range(0, checkpoint.size, max(1, checkpoint.size // 20)):
        leaf = tlog_scales.tiles.leaf_hash(reader.get_entry(index))
        reader.get_inclusion_proof(index, checkpoint.size).check(leaf, checkpoint.root_hash)
    for path in (WORK / "older").iterdir():
        old = tlog_scales.tlog.Checkpoint.from_text(path.read_text())
        old.verify(tlog_scales.signing.Vkey.from_string(KEY))
        proof = reader.get_consistency_proof(old.size, checkpoint.size)
        proof.check(old.root_hash, checkpoint.root_hash)
    return True


def aics(folder):
    """aics-tlog: the checkpoint's signature, every tile and every entry, inclusion and consistency."""
    key = aics_tlog.parse_vkey(KEY)

    def opened(path):
        note = aics_tlog.parse_note(path.read_text(encoding="utf-8"))
        result = aics_tlog.verify_checkpoint(note, key, expected_origin=KEY.split("+")[0])
        if not result.log_ok:
            raise ValueError(result.error)
        return aics_tlog.parse_checkpoint(note.text)

    newest = opened(folder / "checkpoint")
    reader = aics_tlog.FileSystemTileReader(folder)
    aics_tlog.audit_tiles(reader, newest.size, newest.root)
    verified = aics_tlog.VerifiedTileReader(reader, newest.size, newest.root)
    for index in range(0, newest.size, max(1, newest.size // 40)):
        proof = aics_tlog.inclusion_proof_from_tiles(verified, index, newest.size)
        entry = verified.entry(index)
        if not aics_tlog.verify_leaf_inclusion(entry, index, newest.size, proof, newest.root):
            return False
    for path in (WORK / "older").iterdir():
        old = opened(path)
        proof = aics_tlog.consistency_proof_from_tiles(verified, old.size, newest.size)
        if not aics_tlog.verify_consistency(old.size, newest.size, old.root, newest.root, proof):
            return False
    return True


def same_proof():
    """That tlog-scales, from the same folder, writes the same proof for the entry as Tearline does."""
    tool = pathlib.Path(sys.executable).with_name("tlog-tiles")
    index = (WORK / "index").read_text()
    made = subprocess.run([tool, "gen-proof", WORK / "log", index], capture_output=True, check=True).stdout
    return made == (WORK / "entry.tlog-proof").read_bytes()


def cose():
    """scitt-cose: the receipt verifies for the entry and no other, and not when altered."""
    public = aics_tlog.parse_vkey(KEY).public_key
    if isinstance(public, bytes):
        public = Ed25519PublicKey.from_public_bytes(public)
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    entry, receipt = (WORK / "entry").read_bytes(), (WORK / "entry.cose").read_bytes()

    def verify(receipt, entry):
        return scitt_cose.receipt.verify_receipt(receipt, leaf_entry_hex=entry.hex(), log_public_key_pem=pem)

    good = verify(receipt, entry)
    expect(good.ok, f"scitt-cose accepts the receipt {good.errors}")
    expect(good.leaf_index == int((WORK / "index").read_text()), "scitt-cose reads the entry's number")
    expect(good.issuer == KEY.split("+")[0], "scitt-cose reads the log's name")
    refuses(lambda: verify(receipt, entry + b"x").ok, "scitt-cose: the receipt for another entry")
    altered = [at for at in range(len(receipt)) if verify(flipped(receipt, at), entry).ok]
    # The size is not signed (RFC 9942): where the path has the same shape, another size verifies too.
    expect(len(altered) <= 3, f"scitt-cose refuses the receipt altered, but for its size (bytes {altered})")


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def witness():
    """A live aics-witness answers each request as is due."""
    tool = pathlib.Path(sys.executable).with_name("aics-witness")
    config = WORK / "witness.json"
    made = subprocess.run(
        [tool, "init", "--config", config, "--name", "witness.example/w1"], capture_output=True, check=True, text=True
    )
    (WORK / "witness-key.txt").write_text(made.stdout.strip().splitlines()[-1] + "\n")
    origin = KEY.split("+")[0]
    subprocess.run([tool, "add-log", "--config", config, "--origin", origin, "--vkey", KEY], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen([tool, "serve", "--config", config, "--listen", f"127.0.0.1:{port}"])
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read()
                break
            except OSError:
                time.sleep(0.1)
        (WORK / "answers").mkdir()
        for path in sorted((WORK / "requests").iterdir()):
            due = int(path.name.split("-")[1])
            request = urllib.request.Request(f"http://127.0.0.1:{port}/add-checkpoint", data=path.read_bytes())
            try:
                with urllib.request.urlopen(request) as answer:
                    status, body = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, body = error.code, error.read()
            expect(status == due, f"aics-witness: {path.name}: {status} {body[:60]!r}")
            (WORK / "answers" / path.name).write_bytes(body)
    finally:
        serving.terminate()
        serving.wait()


expect(scales(WORK / "log"), "tlog-scales verifies the log")
expect(aics(WORK / "log"), "aics-tlog verifies the log")
for folder in sorted((WORK / "damaged").iterdir()):
    # tlog-scales reads tiles and believes them, up to the root; aics-tlog proves each.
    refuses(lambda: aics(folder), f"aics-tlog: {folder.name}")
    if folder.name in ("checkpoint", "fork"):
        refuses(lambda: scales(folder), f"tlog-scales: {folder.name}")
expect(same_proof(), "tlog-scales writes the same proof for the entry")
cose()
witness()
