//! DSSE envelopes (Dead Simple Signing Envelope, protocol and envelope version 1.0.2) with Ed25519:
//! a typed payload and the signatures of those who vouch for it, as one JSON text.
//!
//! What is signed is not the JSON but the pre-authentication encoding of type and payload, so the
//! spelling of the JSON proves nothing and need not be canonical.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::key::{PrivateKey, PublicKey};
use crate::limits::ENVELOPE_SIGNATURE_COUNT_MAX;

const WHAT: &str = "a DSSE envelope";

/// The bytes that are signed (DSSE protocol, "Signature Definition"):
/// `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in ASCII decimal.
///
/// ```
/// let signed = record::dsse::pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
/// assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
/// ```
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoding =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoding.extend_from_slice(payload);
    encoding
}

/// The JSON of an envelope (DSSE envelope, "Standard JSON envelope"). Unknown members are ignored,
/// as the text demands; a member given twice is refused.
#[derive(Serialize, Deserialize)]
struct Json {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<JsonSignature>,
}

#[derive(Serialize, Deserialize)]
struct JsonSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    /// `<name>+<key id>`; a hint for finding the key, not signed itself.
    key: String,
    bytes: Vec<u8>,
}

/// A payload with its type and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

impl Envelope {
    /// Signs a payload of a type (a media type or a URI).
    pub fn sign(payload_type: &str, payload: &[u8], keys: &[&PrivateKey]) -> Result<Self, Error> {
        check_count(keys.len())?;
        let message = pre_authentication_encoding(payload_type, payload);
        let signatures = keys
            .iter()
            .map(|key| Signature {
                key: key_hint(key.public()),
                bytes: key.sign(&message).to_vec(),
            })
            .collect();
        Ok(Self { payload_type: payload_type.to_owned(), payload: payload.to_vec(), signatures })
    }

    /// Reads the JSON form. Base64 may be of the standard or of the URL alphabet, in its one
    /// canonical spelling.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let json: Json = serde_json::from_slice(json)
            .map_err(|error| Error::malformed(WHAT, error.to_string()))?;
        check_count(json.signatures.len())?;
        let signatures = json
            .signatures
            .into_iter()
            .map(|signature| Ok(Signature { key: signature.keyid, bytes: decode(&signature.sig)? }))
            .collect::<Result<_, Error>>()?;
        Ok(Self { payload_type: json.payload_type, payload: decode(&json.payload)?, signatures })
    }

    /// The JSON form, compact, in a fixed order of members.
    pub fn to_json(&self) -> Vec<u8> {
        let json = Json {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self
                .signatures
                .iter()
                .map(|signature| JsonSignature {
                    keyid: signature.key.clone(),
                    sig: STANDARD.encode(&signature.bytes),
                })
                .collect(),
        };
        serde_json::to_vec(&json).expect("strings and lists of strings always have a JSON form")
    }

    /// Checks the signatures by `keys` and returns those keys that signed, each once. Only then
    /// may the payload be read.
    ///
    /// Signatures whose hint names none of `keys` are ignored; a wrong signature under the hint of
    /// a known key rejects the envelope, and so does an envelope that no known key signed. Whether
    /// these signers are enough is the caller's rule.
    pub fn verify<'k>(&self, keys: &[&'k PublicKey]) -> Result<Vec<&'k PublicKey>, Error> {
        let message = pre_authentication_encoding(&self.payload_type, &self.payload);
        let mut signers: Vec<&PublicKey> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| key_hint(key) == signature.key) else {
                continue;
            };
            if !key.verifies(&message, &signature.bytes) {
                return Err(Error::signature(WHAT, format!("the signature of {key} is wrong")));
            }
            if !signers.contains(key) {
                signers.push(key);
            }
        }
        if signers.is_empty() {
            return Err(Error::signature(WHAT, "none of its signatures is by a known key"));
        }
        Ok(signers)
    }

    /// The type of the payload. Not to be believed before [`Envelope::verify`].
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload. Not to be believed before [`Envelope::verify`].
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Which keys claim to have signed, as `<name>+<key id>`, unchecked.
    pub fn claimed_signers(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|signature| signature.key.as_str())
    }
}

fn key_hint(key: &PublicKey) -> String {
    format!("{}+{}", key.name(), key.id())
}

fn check_count(count: usize) -> Result<(), Error> {
    if (1..=ENVELOPE_SIGNATURE_COUNT_MAX).contains(&count) {
        return Ok(());
    }
    Err(Error::malformed(
        WHAT,
        format!("it has {count} signatures, not 1 to {ENVELOPE_SIGNATURE_COUNT_MAX}"),
    ))
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).or_else(|error| {
        URL_SAFE.decode(text).map_err(|_| Error::malformed(WHAT, format!("wrong base64: {error}")))
    })
}
