//! Roots and proofs, against the definitions of RFC 6962 word by word.

use super::{leaves, naive_root, reader};
use proptest::prelude::*;
use tearline_log::hash::Hash;
use tearline_log::merkle::{self, BadProof, Frontier};

/// PATH of RFC 6962, section 2.1.1.
fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, other) = if index < k {
        (naive_path(index, &leaves[..k]), naive_root(&leaves[k..]))
    } else {
        (naive_path(index - k, &leaves[k..]), naive_root(&leaves[..k]))
    };
    path.push(other);
    path
}

/// SUBPROOF of RFC 6962, section 2.1.2.
fn naive_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut proof, other) = if m <= k {
        (naive_subproof(m, &leaves[..k], whole), naive_root(&leaves[k..]))
    } else {
        (naive_subproof(m - k, &leaves[k..], false), naive_root(&leaves[..k]))
    };
    proof.push(other);
    proof
}

/// The entries of Certificate Transparency's test vectors, and the roots of the first of them.
#[test]
fn roots_are_those_of_the_published_vectors() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    for (size, root) in roots.iter().enumerate() {
        let byte = |at: usize| u8::from_str_radix(&root[2 * at..2 * at + 2], 16).expect("hexadecimal digits");
        assert_eq!(frontier.root(), Hash(std::array::from_fn(byte)), "of {size} entries");
        if let Some(entry) = entries.get(size) {
            frontier.push(Hash::of_leaf(entry));
        }
    }
}

#[test]
fn every_proof_of_every_small_tree_is_the_defined_one_and_verifies() {
    for size in 0..=40_u64 {
        let all = leaves(size);
        let root = naive_root(&all);
        assert_eq!(merkle::root(size, reader(&all)), Ok(root));
        for index in 0..size {
            let path = merkle::inclusion(index, size, reader(&all)).expect("it is there");
            let at = usize::try_from(index).expect("small");
            assert_eq!(path, naive_path(at, &all), "{index} of {size}");
            assert_eq!(merkle::verify_inclusion(all[at], index, size, &path, root), Ok(()));
        }
        assert!(merkle::inclusion(size, size, reader(&all)).is_err());
        for old in 0..=size {
            let proof = merkle::consistency(old, size, reader(&all)).expect("both are there");
            let older = &all[..usize::try_from(old).expect("small")];
            if old > 0 {
                assert_eq!(proof, naive_subproof(older.len(), &all, true), "{old} to {size}");
            }
            let verified = merkle::verify_consistency(old, naive_root(older), size, root, &proof);
            assert_eq!(verified, Ok(()), "{old} to {size}");
        }
        assert!(merkle::consistency(size + 1, size, reader(&all)).is_err());
    }
}

#[test]
fn a_tree_that_does_not_continue_another_is_refused_with_the_reason() {
    let all = leaves(13);
    let root = naive_root(&all);
    let proof = merkle::consistency(6, 13, reader(&all)).expect("both are there");
    let old_root = naive_root(&all[..6]);
    let other = Hash::of_leaf(b"other");
    assert_eq!(merkle::verify_consistency(6, other, 13, root, &proof), Err(BadProof::OldRoot));
    assert_eq!(merkle::verify_consistency(6, old_root, 13, other, &proof), Err(BadProof::Root));
    assert_eq!(
        merkle::verify_consistency(13, root, 6, old_root, &proof),
        Err(BadProof::Backwards { old: 13, new: 6 })
    );
    assert_eq!(merkle::verify_consistency(6, old_root, 6, other, &[]), Err(BadProof::OldRoot));
    assert_eq!(merkle::verify_consistency(0, other, 6, old_root, &[]), Err(BadProof::OldRoot));
    assert!(matches!(
        merkle::verify_consistency(0, Hash::of_empty_tree(), 6, old_root, &[other]),
        Err(BadProof::Length { .. })
    ));
    assert!(matches!(merkle::verify_consistency(6, old_root, 13, root, &[]), Err(BadProof::Length { .. })));
    let longer = [&proof[..], &[other]].concat();
    assert!(matches!(
        merkle::verify_consistency(6, old_root, 13, root, &longer),
        Err(BadProof::Length { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_proof_is_refused(size in 1_u64..600, at in any::<u64>(), old in any::<u64>(), bit in 0_usize..256, which in any::<usize>()) {
        let all = leaves(size);
        let root = naive_root(&all);
        let index = at % size;
        let leaf = all[usize::try_from(index).expect("small")];
        let path = merkle::inclusion(index, size, reader(&all)).expect("it is there");
        prop_assert_eq!(merkle::verify_inclusion(leaf, index, size, &path, root), Ok(()));
        let mut altered = leaf;
        altered.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(merkle::verify_inclusion(altered, index, size, &path, root), Err(BadProof::Root));
        let other = (index + 1) % size;
        if other != index {
            prop_assert!(merkle::verify_inclusion(leaf, other, size, &path, root).is_err());
        }
        if !path.is_empty() {
            let mut altered = path.clone();
            let which = which % path.len();
            altered[which].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(merkle::verify_inclusion(leaf, index, size, &altered, root), Err(BadProof::Root));
            let shorter = &path[1..];
            prop_assert!(merkle::verify_inclusion(leaf, index, size, shorter, root).is_err());
        }
        let old = old % (size + 1);
        let old_root = naive_root(&all[..usize::try_from(old).expect("small")]);
        let proof = merkle::consistency(old, size, reader(&all)).expect("both are there");
        prop_assert_eq!(merkle::verify_consistency(old, old_root, size, root, &proof), Ok(()));
        for which in 0..proof.len() {
            let mut altered = proof.clone();
            altered[which].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(merkle::verify_consistency(old, old_root, size, root, &altered).is_err());
        }
    }
}
