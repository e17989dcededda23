//! Tiles, bundles and the edge: what files a log consists of, and that they say what the tree says.

use super::{entry, leaves, naive_root};
use std::collections::BTreeMap;
use tearline_log::edge::Edge;
use tearline_log::hash::Hash;
use tearline_log::merkle::{self, Frontier, NoProof};
use tearline_log::tile::{self, BadTile, Kind, Resource};

#[test]
fn paths_are_those_of_the_standard() {
    let hashes = |level| Kind::Hashes { level };
    let cases = [
        (Resource { kind: hashes(0), index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"),
        (Resource { kind: hashes(1), index: 0, width: 17 }, "tile/1/000.p/17"),
        (Resource { kind: Kind::Entries, index: 273, width: 112 }, "tile/entries/273.p/112"),
        (Resource { kind: Kind::Entries, index: 1000, width: 256 }, "tile/entries/x001/000"),
    ];
    for (resource, path) in cases {
        assert_eq!(resource.path(), path);
        assert_eq!(Resource::from_path(path), Some(resource));
    }
    let bad = [
        "checkpoint",
        "tile/8/000",
        "tile/00/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/-1/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/",
        "tile/0/+01",
        "/tile/0/000",
    ];
    for path in bad {
        assert_eq!(Resource::from_path(path), None, "{path}");
    }
}

#[test]
fn a_log_of_seventy_thousand_consists_of_the_files_that_the_standard_counts() {
    let count = |kind| {
        let all: Vec<Resource> = Resource::all(kind, 70_000).collect();
        (all.iter().filter(|r| !r.is_partial()).count(), all.iter().find(|r| r.is_partial()).map(|r| r.width))
    };
    assert_eq!(count(Kind::Hashes { level: 0 }), (273, Some(112)));
    assert_eq!(count(Kind::Hashes { level: 1 }), (1, Some(17)));
    assert_eq!(count(Kind::Hashes { level: 2 }), (0, Some(1)));
    assert_eq!(count(Kind::Hashes { level: 3 }), (0, None));
    assert_eq!(tile::kinds(70_000).count(), 4);
    assert_eq!(tile::kinds(0).count(), 0);
}

/// Grows a log to `size` in steps, and gives its files.
fn files(size: u64, step: u64) -> BTreeMap<Resource, Vec<u8>> {
    let mut edge = Edge::default();
    let mut files = BTreeMap::new();
    let mut full = Vec::new();
    for index in 0..size {
        edge.push(&entry(index), Hash::of_leaf(&entry(index)), &mut full).expect("short entries");
        if index % step == step - 1 {
            files.extend(edge.partials());
            let fetch =
                |resource| files.get(&resource).cloned().ok_or(NoProof::NoEntry { index: 0, size: 0 });
            let again = Edge::read(index + 1, fetch, |_, _| NoProof::NoEntry { index: 0, size: 0 });
            assert_eq!(again.expect("it was just written").root(), edge.root());
        }
        files.extend(full.drain(..));
    }
    files.extend(edge.partials());
    assert_eq!(edge.root(), naive_root(&leaves(size)), "{size}");
    files
}

#[test]
fn proofs_can_be_made_from_tiles_at_every_size_up_to_the_newest() {
    let all = leaves(1500);
    let files = files(1500, 100);
    let fetch_at = |size: u64| {
        let files = &files;
        move |node| {
            // As a reader does: the partial tile of this size, or else the beginning of a wider one.
            let fetch = |resource: Resource| {
                let wider = files.range(resource..=Resource { width: 256, ..resource });
                let bytes = wider.map(|(_, bytes)| bytes).next().expect("it exists");
                Ok::<_, NoProof>(bytes[..32 * usize::from(resource.width)].to_vec())
            };
            tile::read_node(node, size, fetch, |_, _| NoProof::NoEntry { index: 0, size: 0 })
        }
    };
    for size in [1, 2, 255, 256, 257, 511, 512, 700, 1024, 1499, 1500] {
        let root = naive_root(&all[..usize::try_from(size).expect("small")]);
        assert_eq!(merkle::root(size, fetch_at(size)), Ok(root));
        assert_eq!(Frontier::read(size, fetch_at(size)).map(|frontier| frontier.root()), Ok(root));
        for index in [0, size / 3, size - 1] {
            let path = merkle::inclusion(index, size, fetch_at(size)).expect("it is there");
            let leaf = all[usize::try_from(index).expect("small")];
            assert_eq!(merkle::verify_inclusion(leaf, index, size, &path, root), Ok(()));
        }
        let new_root = naive_root(&all);
        let proof = merkle::consistency(size, 1500, fetch_at(1500)).expect("both are there");
        assert_eq!(merkle::verify_consistency(size, root, 1500, new_root, &proof), Ok(()));
    }
}

#[test]
fn a_log_grown_in_any_steps_has_the_same_full_files() {
    let one = files(700, 1);
    let many = files(700, 113);
    let full = |files: &BTreeMap<Resource, Vec<u8>>| -> Vec<(Resource, Vec<u8>)> {
        files.iter().filter(|(resource, _)| !resource.is_partial()).map(|(r, b)| (*r, b.clone())).collect()
    };
    assert_eq!(full(&one), full(&many));
    assert_eq!(full(&one).len(), 4, "two tiles and two bundles");
}

#[test]
fn malformed_tiles_and_bundles_are_refused() {
    assert_eq!(tile::hashes(&[0; 64], 2).map(|hashes| hashes.len()), Ok(2));
    assert_eq!(tile::hashes(&[0; 65], 2), Err(BadTile::Length { expected: 64, found: 65 }));
    assert_eq!(tile::hashes(&[0; 64], 3), Err(BadTile::Length { expected: 96, found: 64 }));
    assert_eq!(tile::entries(&[0, 1, 7, 0, 0], 2), Ok(vec![&[7][..], &[]]));
    assert_eq!(tile::entries(&[0, 2, 7], 1), Err(BadTile::Short { entry: 0, width: 1 }));
    assert_eq!(tile::entries(&[0, 1, 7, 0], 2), Err(BadTile::Short { entry: 1, width: 2 }));
    assert_eq!(tile::entries(&[0, 1, 7, 0], 1), Err(BadTile::Long { extra: 1 }));
    let long = vec![0; 65_536];
    let mut bundle = Vec::new();
    assert!(tile::push_entry(&mut bundle, &long).is_err());
    assert!(bundle.is_empty());
    let mut edge = Edge::default();
    assert!(edge.push(&long, Hash::of_leaf(&long), &mut Vec::new()).is_err());
    assert_eq!(edge, Edge::default(), "nothing has changed");
}
