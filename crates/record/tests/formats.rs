//! Texts and encodings: vectors that others published, round trips, and refusal of every alteration.

mod common;

use base64::Engine as _;
use proptest::prelude::*;
use record::dsse::Envelope;
use record::{
    Checkpoint, Content, Extra, Hash, Note, PrivateKey, ProofText, PublicKey, SignedCheckpoint,
    Tile, TileOfSize, bundle, leaf_hash, tree_root, verify_consistency, verify_inclusion,
};

/// Leaves and roots of the reference tree of Certificate Transparency (RFC 6962), as in
/// `merkletree/merkle_tree_test.go` of google/certificate-transparency and
/// `testdata` of transparency-dev/merkle.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hash(hex: &str) -> Hash {
    Hash::from_hex(hex).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn rfc_6962_reference_tree() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect();
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(tree_root(leaves[..size].iter().copied()), hash(root));
    }
    // Paths 6 of 8 and 3 of 3 (counted from 1), and consistency 6 to 8 and 2 to 5, same source.
    let path = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    verify_inclusion(5, 8, &leaves[5], &path.map(hash), &hash(ROOTS[7])).unwrap();
    let path = ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"];
    verify_inclusion(2, 3, &leaves[2], &path.map(hash), &hash(ROOTS[2])).unwrap();
    let path = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    verify_consistency(6, &hash(ROOTS[5]), 8, &hash(ROOTS[7]), &path.map(hash)).unwrap();
    let path = [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ];
    verify_consistency(2, &hash(ROOTS[1]), 5, &hash(ROOTS[4]), &path.map(hash)).unwrap();
}

/// The verifier key and the note in C2SP signed-note, "Example".
const SPECIFICATION_KEY: &str =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPECIFICATION_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// Keys and notes in the documentation and the tests of `golang.org/x/mod/sumdb/note`.
const PETER_PRIVATE: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH_PUBLIC: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const PETER_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\u{2014} PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str = "\u{2014} EnochRoot \
    rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

#[test]
fn notes_of_others_verify() {
    let key = PublicKey::parse(SPECIFICATION_KEY).unwrap();
    let note = Note::parse(SPECIFICATION_NOTE.as_bytes()).unwrap();
    assert_eq!(note.verify(&[&key]).unwrap(), [&key]);
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(key.to_string(), SPECIFICATION_KEY);

    let peter = PrivateKey::parse(PETER_PRIVATE).unwrap();
    assert_eq!(peter.public().to_string(), PETER_PUBLIC);
    assert_eq!(peter.to_secret_text(), PETER_PRIVATE);
    let note = Note::parse(PETER_NOTE.as_bytes()).unwrap();
    let signed = Note::sign(note.text(), &[&peter]).unwrap();
    assert_eq!(signed.to_bytes(), PETER_NOTE.as_bytes(), "byte for byte what Go writes");

    let enoch = PublicKey::parse(ENOCH_PUBLIC).unwrap();
    let both = format!("{PETER_NOTE}{ENOCH_LINE}");
    let both = Note::parse(both.as_bytes()).unwrap();
    assert_eq!(both.verify(&[&enoch, peter.public()]).unwrap(), [peter.public(), &enoch]);
    assert_eq!(both.verify(&[&enoch]).unwrap(), [&enoch], "the other signature is not looked at");
    assert!(both.verify(&[&key]).unwrap_err().is_signature());
}

#[test]
fn key_debug_output_keeps_the_secret() {
    let peter = PrivateKey::parse(PETER_PRIVATE).unwrap();
    let shown = format!("{peter:?}");
    assert!(!shown.contains("AYEKFALVFGyNhPJEMzD1QIDr"), "{shown}");
    let broken = PETER_PRIVATE.replace("c74f20a3", "c74f20a4");
    let error = PrivateKey::parse(&broken).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("AYEKFALVFGyNhPJEMzD1QIDr"));
}

/// Every other printable character, and one that is not, in every place of a key.
#[test]
fn any_altered_character_of_a_key_is_noticed() {
    for (text, is_private) in
        [(PETER_PRIVATE, true), (PETER_PUBLIC, false), (SPECIFICATION_KEY, false)]
    {
        let parses = |text: &str| {
            if is_private {
                PrivateKey::parse(text).is_ok()
            } else {
                PublicKey::parse(text).is_ok()
            }
        };
        assert!(parses(text));
        for at in 0..text.len() {
            for other in (b' '..=b'~').chain(*b"\n\t\0") {
                if other != text.as_bytes()[at] {
                    let mut altered = text.as_bytes().to_vec();
                    altered[at] = other;
                    let altered = String::from_utf8(altered).unwrap();
                    assert!(!parses(&altered), "{altered:?}");
                }
            }
            let mut shorter = text.to_owned();
            shorter.remove(at);
            assert!(!parses(&shorter), "{shorter:?}");
            let mut longer = text.to_owned();
            longer.insert(at, text.as_bytes()[at].into());
            assert!(!parses(&longer), "{longer:?}");
        }
        assert!(!parses(&format!("{text}\n")) && !parses(&format!("{text}=")));
    }
}

/// A point of small order would let one signature stand for many messages.
#[test]
fn weak_keys_are_refused() {
    let text = |point: [u8; 32]| {
        let id = Hash::of(&[&b"n\n\x01"[..], &point].concat()).to_string();
        let typed = [&[1][..], &point].concat();
        format!("n+{}+{}", &id[..8], base64::engine::general_purpose::STANDARD.encode(typed))
    };
    let sound = *common::key().public().as_bytes();
    PublicKey::parse(&text(sound)).unwrap();
    let mut neutral = [0; 32];
    neutral[0] = 1;
    for weak in [neutral, [0; 32]] {
        assert!(PublicKey::parse(&text(weak)).unwrap_err().is_malformed());
    }
}

#[test]
fn key_names_are_checked() {
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "\u{2003}", &"n".repeat(600)] {
        assert!(PrivateKey::from_seed(name, &[1; 32]).is_err(), "{name:?}");
        assert!(Checkpoint::new(name, 0, Hash::EMPTY_TREE).is_err(), "{name:?}");
    }
    PrivateKey::from_seed("журнал.example/перемирʼя", &[1; 32]).unwrap();
}

#[test]
fn malformed_notes_are_refused() {
    let good = SPECIFICATION_NOTE;
    Note::parse(good.as_bytes()).unwrap();
    let bad = [
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}x"),
        format!("{good}\u{2014} n AAAA\n"),
        format!("{good}\u{2014} n AAAAAA\n"),
        format!("{good}\u{2014}  AAAAAAA=\n"),
        format!("{good}\u{2014} a+b AAAAAAA=\n"),
        format!("{good}- n AAAAAAA=\n"),
        good.replace("message.", "mess\tage."),
        good.replace("message.", "message.\r"),
        good.replace("\n\n", "\n"),
        "\n\n".to_owned(),
        String::new(),
        format!("{good}{}", "\u{2014} n AAAAAAA=\n".repeat(200)),
        "x".repeat(2 << 20),
    ];
    for text in bad {
        assert!(Note::parse(text.as_bytes()).is_err(), "{}", &text[..text.len().min(400)]);
    }
    assert!(Note::parse(b"\xff\n\n\xe2\x80\x94 n AAAAAAA=\n").is_err());
    // 64 witnesses and more are welcome.
    let many = format!("{good}{}", "\u{2014} n AAAAAAA=\n".repeat(100));
    let key = PublicKey::parse(SPECIFICATION_KEY).unwrap();
    assert_eq!(Note::parse(many.as_bytes()).unwrap().verify(&[&key]).unwrap(), [&key]);
    // A text may have empty lines.
    let peter = PrivateKey::parse(PETER_PRIVATE).unwrap();
    let poem = Note::sign("one\n\ntwo\n\n", &[&peter]).unwrap();
    let again = Note::parse(&poem.to_bytes()).unwrap();
    assert_eq!(again, poem);
    again.verify(&[peter.public()]).unwrap();
    assert!(Note::sign("no newline", &[&peter]).is_err());
    assert!(Note::sign("x\n", &[]).is_err());
}

#[test]
fn a_known_key_with_a_wrong_signature_rejects_the_note() {
    let (one, two) = (common::key(), PrivateKey::parse(PETER_PRIVATE).unwrap());
    let good = Note::sign("text\n", &[&one, &two]).unwrap();
    let other = Note::sign("other\n", &[&two]).unwrap();
    let other = String::from_utf8(other.to_bytes()).unwrap();
    let line_of_two = other.split_once("\n\n").unwrap().1;
    let good = String::from_utf8(good.to_bytes()).unwrap();
    let at = good.rfind('\u{2014}').unwrap();
    let mixed = Note::parse(format!("{}{line_of_two}", &good[..at]).as_bytes()).unwrap();
    assert!(mixed.verify(&[one.public()]).is_ok(), "an unknown key is not looked at");
    assert!(mixed.verify(&[one.public(), two.public()]).unwrap_err().is_signature());
}

#[test]
fn checkpoint_bodies_are_strict() {
    let root = Hash::of(b"root");
    let good = Checkpoint::new("ledger.example/test", 17, root).unwrap();
    assert_eq!(Checkpoint::parse_body(&good.body()).unwrap(), good);
    // C2SP tlog-checkpoint allows extension lines.
    let extended = format!("{}extension\n", good.body());
    assert_eq!(Checkpoint::parse_body(&extended).unwrap(), good);
    let text = root.to_base64();
    for body in [
        format!("o\n017\n{text}\n"),
        format!("o\n+17\n{text}\n"),
        format!("o\n17 \n{text}\n"),
        format!("o\n18446744073709551616\n{text}\n"),
        format!("\n17\n{text}\n"),
        format!("o\n17\n{text}"),
        format!("o\n17\n{text}\n\n"),
        format!("o\n17\n{text}\n\nx\n"),
        format!("o\n17\n{}\n", text.trim_end_matches('=')),
        format!("o\n0\n{text}\n"),
        "o\n17\n".to_owned(),
    ] {
        assert!(Checkpoint::parse_body(&body).is_err(), "{body:?}");
    }
    let key = common::key();
    let note = good.sign(&key).unwrap();
    assert_eq!(*SignedCheckpoint::open(&note, key.public()).unwrap().checkpoint(), good);
    let elsewhere = Checkpoint::new("ledger.example/other", 17, root).unwrap();
    let note = elsewhere.sign(&key).unwrap();
    assert!(SignedCheckpoint::open(&note, key.public()).unwrap_err().is_signature());
}

#[test]
fn every_altered_byte_of_a_checkpoint_is_noticed() {
    let key = common::key();
    let note = Checkpoint::new(key.public().name(), 70_000, Hash::of(b"r")).unwrap();
    let note = note.sign(&key).unwrap();
    for at in 0..note.len() {
        for value in 0..=255 {
            let mut altered = note.clone();
            altered[at] = value;
            let opened = SignedCheckpoint::open(&altered, key.public());
            assert_eq!(opened.is_ok(), altered == note, "byte {at} as {value}");
        }
    }
}

/// The protocol example of DSSE (secure-systems-lab/dsse, `protocol.md`, "Test Vectors").
#[test]
fn dsse_encoding_of_the_specification() {
    let encoding =
        record::dsse::pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
    assert_eq!(encoding, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(record::dsse::pre_authentication_encoding("", b""), b"DSSEv1 0  0 ");
}

#[test]
fn dsse_envelopes_are_checked() {
    let (one, two) = (common::key(), PrivateKey::parse(PETER_PRIVATE).unwrap());
    let envelope = Envelope::sign("text/plain", b"agreed", &[&one, &two]).unwrap();
    let json = envelope.to_json();
    let again = Envelope::parse(&json).unwrap();
    assert_eq!(again, envelope);
    assert_eq!(again.verify(&[one.public()]).unwrap(), [one.public()]);
    assert_eq!(again.verify(&[two.public(), one.public()]).unwrap().len(), 2);
    let stranger = PublicKey::parse(SPECIFICATION_KEY).unwrap();
    assert!(again.verify(&[&stranger]).unwrap_err().is_signature());
    assert_eq!(
        again.claimed_signers().collect::<Vec<_>>()[1],
        "PeterNeumann+c74f20a3",
        "a hint that people can read"
    );
    let text = String::from_utf8(json).unwrap();
    assert!(text.starts_with(r#"{"payload":"YWdyZWVk","payloadType":"text/plain","signatures":["#));
    // Unknown members are ignored; members given twice, or left out, are not.
    let extended = text.replacen('{', r#"{"note":1,"#, 1);
    Envelope::parse(extended.as_bytes()).unwrap().verify(&[one.public()]).unwrap();
    for bad in [
        text.replacen('{', r#"{"payload":"","#, 1),
        text.replace("payloadType", "payload_type"),
        text.replace("YWdyZWVk", "YWdyZWVl="),
        text.replace(r#""signatures":["#, r#""signatures":[],"x":["#),
        format!("{text}x"),
    ] {
        assert!(Envelope::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    for altered in [text.replace("YWdyZWVk", "YWdyZWVl"), text.replace("text/plain", "text/plaim")]
    {
        let altered = Envelope::parse(altered.as_bytes()).unwrap();
        assert!(altered.verify(&[one.public()]).unwrap_err().is_signature());
    }
}

/// The example in C2SP tlog-proof shortens its hashes, so the shape is checked on texts of our own.
#[test]
fn proof_texts_are_strict() {
    let key = common::key();
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    let checkpoint = Checkpoint::new(key.public().name(), 2, tree_root([left, right])).unwrap();
    let note = checkpoint.sign(&key).unwrap();
    for extra in [Extra::Absent, Extra::Bytes(Vec::new()), Extra::Bytes(vec![0, 255])] {
        let proof = ProofText::new(1, vec![left], &note, extra).unwrap();
        let text = proof.to_text();
        let again = ProofText::parse(text.as_bytes()).unwrap();
        assert_eq!(again, proof);
        assert_eq!(again.verify(key.public(), b"right").unwrap(), checkpoint);
        assert!(again.verify(key.public(), b"left").unwrap_err().is_proof());
    }
    let text = ProofText::new(1, vec![left], &note, Extra::Absent).unwrap().to_text();
    for at in 0..text.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut altered = text.as_bytes().to_vec();
            altered[at] ^= flip;
            let outcome = ProofText::parse(&altered).and_then(|p| p.verify(key.public(), b"right"));
            assert!(outcome.is_err(), "byte {at} ^ {flip}");
        }
    }
    for bad in [
        text.replace("index 1", "index 01"),
        text.replace("index 1", "index -1"),
        text.replace("index 1\n", ""),
        text.replace("index 1", "extra AA=="),
        text.replacen("index", "extra A\nindex", 1),
        text.replacen("@v1", "@v2", 1),
        text.replacen('=', "", 1),
        text.replacen("index 1\n", &format!("index 1\n{}", "A\n".repeat(3)), 1),
    ] {
        assert!(ProofText::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    // The only entry of a log of one needs no hashes.
    let single = Checkpoint::new(key.public().name(), 1, left).unwrap().sign(&key).unwrap();
    let text = ProofText::new(0, Vec::new(), &single, Extra::Absent).unwrap().to_text();
    ProofText::parse(text.as_bytes()).unwrap().verify(key.public(), b"left").unwrap();
}

/// C2SP tlog-tiles, "Partial Tiles": the tiles of trees of 256 and of 70,000 entries.
#[test]
fn tiles_of_the_sizes_in_the_specification() {
    let tiles = |content, size| {
        let mut tiles = Vec::new();
        while let TileOfSize::Tile(tile) = Tile::of_size(content, tiles.len() as u64, size) {
            tiles.push(tile);
        }
        tiles
    };
    let widths = |level, size| -> Vec<usize> {
        tiles(Content::Hashes(level), size).iter().map(Tile::width).collect()
    };
    assert_eq!(widths(0, 256), [256]);
    assert_eq!(widths(1, 256), [1]);
    assert!(widths(2, 256).is_empty());
    let level_0 = widths(0, 70_000);
    assert_eq!((level_0.len(), level_0[272], level_0[273]), (274, 256, 112));
    assert_eq!(widths(1, 70_000), [256, 17]);
    assert_eq!(widths(2, 70_000), [1]);
    assert!(widths(3, 70_000).is_empty());
    assert_eq!(tiles(Content::Entries, 70_000).len(), 274);
    assert!(tiles(Content::Entries, 0).is_empty());
    assert_eq!(Tile::new(Content::Hashes(1), 1, 17).first_entry(3), (256 + 3) * 256);
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9./\u{e9}\u{436}-]{1,40}"
}

proptest! {
    #[test]
    fn keys_round_trip(name in name(), seed in any::<[u8; 32]>()) {
        let key = PrivateKey::from_seed(&name, &seed).unwrap();
        let again = PrivateKey::parse(&key.to_secret_text()).unwrap();
        prop_assert_eq!(again.public(), key.public());
        prop_assert_eq!(again.sign(b"x"), key.sign(b"x"));
        prop_assert_eq!(&PublicKey::parse(&key.public().to_string()).unwrap(), key.public());
        prop_assert!(key.public().verifies(b"x", &key.sign(b"x")));
        prop_assert!(!key.public().verifies(b"y", &key.sign(b"x")));
    }

    #[test]
    fn notes_round_trip_and_alterations_fail(
        text in "[ -~\n\u{2014}\u{436}]{0,200}", seed in any::<[u8; 32]>(),
        at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let key = PrivateKey::from_seed("n", &seed).unwrap();
        let note = Note::sign(&format!("{text}\n"), &[&key]).unwrap();
        let bytes = note.to_bytes();
        let again = Note::parse(&bytes).unwrap();
        prop_assert_eq!(&again, &note);
        again.verify(&[key.public()]).unwrap();
        let mut altered = bytes.clone();
        altered[at.index(bytes.len())] ^= flip;
        let outcome = Note::parse(&altered).and_then(|note| note.verify(&[key.public()]).map(drop));
        prop_assert!(outcome.is_err());
    }

    #[test]
    fn envelopes_round_trip(kind in "[ -~]{0,40}", payload in any::<Vec<u8>>()) {
        let key = common::key();
        let envelope = Envelope::sign(&kind, &payload, &[&key]).unwrap();
        let again = Envelope::parse(&envelope.to_json()).unwrap();
        prop_assert_eq!(&again, &envelope);
        again.verify(&[key.public()]).unwrap();
        prop_assert_eq!((again.payload_type(), again.payload()), (&kind[..], &payload[..]));
    }

    #[test]
    fn proofs_round_trip(
        index in any::<u64>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..64),
        extra in prop::option::of(any::<Vec<u8>>()),
    ) {
        let note = Checkpoint::new("o", 9, Hash::of(b"")).unwrap().sign(&common::key()).unwrap();
        let extra = extra.map_or(Extra::Absent, Extra::Bytes);
        let hashes = hashes.into_iter().map(Hash::from_bytes).collect();
        let proof = ProofText::new(index, hashes, &note, extra).unwrap();
        prop_assert_eq!(ProofText::parse(proof.to_text().as_bytes()).unwrap(), proof);
    }

    #[test]
    fn bundles_round_trip(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..=256),
        cut in any::<prop::sample::Index>(),
    ) {
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let encoded = bundle::encode(&entries).unwrap();
        prop_assert_eq!(bundle::decode(&encoded).unwrap(), entries.clone());
        // A beginning of a bundle is never taken for the same entries.
        if !encoded.is_empty() {
            let beginning = bundle::decode(&encoded[..cut.index(encoded.len())]);
            prop_assert!(beginning.map_or(true, |found| found.len() < entries.len()));
        }
    }

    #[test]
    fn tile_paths_round_trip(level in 0..9_u8, index in any::<u64>(), width in 1..=256_usize) {
        let content = if level == 8 { Content::Entries } else { Content::Hashes(level) };
        let tile = Tile::new(content, index, width);
        prop_assert_eq!(Tile::parse(&tile.path()).unwrap(), tile);
    }
}

#[test]
fn bundles_have_bounds() {
    assert!(bundle::encode(&[&vec![0; 65_535]]).is_ok());
    assert!(bundle::encode(&[&vec![0; 65_536]]).is_err());
    assert!(bundle::encode(&vec![&b"x"[..]; 257]).is_err());
    assert!(bundle::decode(&bundle::encode(&vec![&b"x"[..]; 256]).unwrap().repeat(2)).is_err());
    assert_eq!(bundle::encode(&[b"ab", b""]).unwrap(), b"\x00\x02ab\x00\x00");
}
