use std::fs;
use std::os::unix::fs::PermissionsExt;

use lanyard_pki::SignatureAlgorithm;

use super::*;
use crate::signer::Signer;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    fn store(&self, text: Option<&str>) -> KeyStore {
        KeyStore::open(&self.path(), text.map(passphrase)).unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_is_private_and_comes_back() {
    let folder = Folder::new();
    let store = folder.store(None);
    let made = store.create(&name("ca"), KeyAlgorithm::P256).unwrap();
    let loaded = store.load(&name("ca")).unwrap();
    assert_eq!(Signer::public_key(&made), Signer::public_key(&loaded));
    assert_eq!((mode(&folder.path()), mode(&store.path(&name("ca")))), (0o700, 0o600));
    assert_eq!(store.protection(&name("ca")).unwrap(), Protection::Permissions);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn with_a_passphrase_it_is_encrypted_and_opens_with_that_one_alone() {
    let folder = Folder::new();
    let made = folder.store(Some("right")).create(&name("ca"), KeyAlgorithm::P256).unwrap();
    let path = folder.store(None).path(&name("ca"));
    assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY"));
    let loaded = folder.store(Some("right")).load(&name("ca")).unwrap();
    assert_eq!(Signer::public_key(&made), Signer::public_key(&loaded));
    let wrong = folder.store(Some("wrong")).load(&name("ca"));
    assert!(matches!(wrong, Err(KeyStoreError::WrongPassphrase(at)) if at == path));
    let missing = folder.store(None).load(&name("ca"));
    assert!(matches!(missing, Err(KeyStoreError::PassphraseMissing(at)) if at == path));
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = Folder::new();
    let store = folder.store(None);
    let first = store.create(&name("ca"), KeyAlgorithm::P256).unwrap();
    let second = store.create(&name("ca"), KeyAlgorithm::P256);
    assert!(matches!(second, Err(KeyStoreError::Exists(_))));
    let pem = fs::read_to_string(store.path(&name("ca"))).unwrap();
    assert!(matches!(store.import(&name("ca"), &pem, None), Err(KeyStoreError::Exists(_))));
    let kept = store.load_or_create(&name("ca"), KeyAlgorithm::P384).unwrap();
    assert_eq!(Signer::public_key(&kept), Signer::public_key(&first));
}

#[test]
fn a_file_or_folder_open_to_others_is_refused_and_the_remedy_named() {
    let folder = Folder::new();
    let store = folder.store(None);
    store.create(&name("ca"), KeyAlgorithm::P256).unwrap();
    let path = store.path(&name("ca"));
    for open in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let refused = store.load(&name("ca")).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = KeyStore::open(&folder.path(), None).unwrap_err().to_string();
    assert!(refused.contains("chmod 700"), "{refused}");
}

#[test]
fn keys_are_encrypted_afterwards_and_anew() {
    let folder = Folder::new();
    let plain = folder.store(None);
    let key = plain.create(&name("ca"), KeyAlgorithm::P256).unwrap();
    let secret = plain.secret(&name("secret")).unwrap();
    assert_eq!(plain.protect().unwrap(), []);
    assert_eq!(folder.store(Some("one")).protect().unwrap(), [name("ca"), name("secret")]);
    let changed = folder.store(Some("one")).change_passphrase(passphrase("two"));
    let changed = changed.unwrap();
    assert_eq!(Signer::public_key(&changed.load(&name("ca")).unwrap()), Signer::public_key(&key));
    assert_eq!(changed.secret(&name("secret")).unwrap().octets(), secret.octets());
    assert!(folder.store(Some("one")).load(&name("ca")).is_err());
    assert_eq!(mode(&changed.path(&name("ca"))), 0o600);
}

#[test]
fn an_interrupted_change_of_passphrase_can_be_repeated() {
    let folder = Folder::new();
    folder.store(Some("two")).create(&name("done"), KeyAlgorithm::P256).unwrap();
    folder.store(Some("one")).create(&name("open"), KeyAlgorithm::P256).unwrap();
    let changed = folder.store(Some("one")).change_passphrase(passphrase("two")).unwrap();
    assert!(changed.load(&name("done")).is_ok() && changed.load(&name("open")).is_ok());
    let stranger = folder.store(Some("three")).change_passphrase(passphrase("four"));
    assert!(matches!(stranger, Err(KeyStoreError::WrongPassphrase(_))));
}

#[test]
fn a_secret_stays_and_is_told_from_a_key() {
    let folder = Folder::new();
    let store = folder.store(Some("right"));
    let first = store.secret(&name("secret")).unwrap();
    assert_eq!(store.secret(&name("secret")).unwrap().octets(), first.octets());
    assert!(matches!(store.load(&name("secret")), Err(KeyStoreError::Key { .. })));
    store.create(&name("ca"), KeyAlgorithm::P256).unwrap();
    assert!(matches!(store.secret(&name("ca")), Err(KeyStoreError::NotASecret(_))));
}

#[test]
fn names_are_listed_and_a_removed_key_is_gone() {
    let folder = Folder::new();
    let store = folder.store(None);
    for text in ["ra", "ca", "tls"] {
        store.create(&name(text), KeyAlgorithm::Ed25519).unwrap();
    }
    fs::write(folder.path().join("README"), "no key").unwrap();
    fs::write(folder.path().join("Not A Name.key"), "no key").unwrap();
    store.remove(&name("ra")).unwrap();
    assert_eq!(store.names().unwrap(), [name("ca"), name("tls")]);
    assert!(matches!(store.load(&name("ra")), Err(KeyStoreError::Missing(_))));
    assert!(matches!(store.remove(&name("ra")), Err(KeyStoreError::Missing(_))));
}

#[test]
fn a_damaged_or_other_file_is_told() {
    let folder = Folder::new();
    let store = folder.store(None);
    store.create(&name("ca"), KeyAlgorithm::P256).unwrap();
    let path = store.path(&name("ca"));
    let pem = fs::read_to_string(&path).unwrap();
    for damaged in ["", "x", &pem[..pem.len() / 2], &pem.replace("PRIVATE KEY", "PRIVATE")] {
        fs::write(&path, damaged).unwrap();
        assert!(store.load(&name("ca")).is_err(), "{damaged}");
    }
    fs::write(&path, pem.replace("PRIVATE KEY", "EC PRIVATE KEY")).unwrap();
    let told = store.load(&name("ca")).unwrap_err().to_string();
    assert!(told.contains("openssl pkcs8 -topk8"), "{told}");
    fs::write(&path, [0xFF, 0xFE]).unwrap();
    assert!(matches!(store.load(&name("ca")), Err(KeyStoreError::Damaged(_))));
}

/// Made with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass
/// pass:sesame`.
#[tokio::test]
async fn a_key_that_openssl_encrypted_is_taken_over() {
    let pem = include_str!("../../tests/data/openssl-p256-aes256.pem");
    let folder = Folder::new();
    let store = folder.store(Some("another"));
    let wrong = store.import(&name("ca"), pem, Some(&passphrase("wrong")));
    assert!(matches!(wrong, Err(KeyStoreError::WrongPassphrase(_))));
    assert!(!store.contains(&name("ca")));
    let key = store.import(&name("ca"), pem, Some(&passphrase("sesame"))).unwrap();
    let algorithm = SignatureAlgorithm::Ecdsa(lanyard_pki::Digest::Sha256);
    let signature = key.sign(algorithm, b"message").await.unwrap();
    let loaded = store.load(&name("ca")).unwrap();
    Signer::public_key(&loaded).verify(algorithm, b"message", &signature).unwrap();
    assert_eq!(store.protection(&name("ca")).unwrap(), Protection::Passphrase);
}

#[test]
fn a_key_from_elsewhere_is_kept_encrypted_and_handed_out_again() {
    let folder = Folder::new();
    let store = folder.store(Some("open sesame"));
    for _ in 0..2 {
        let pkcs8 = SoftwareKey::generate_pkcs8(KeyAlgorithm::P256).unwrap();
        store.put(&name("listener"), &pkcs8).unwrap();
        assert_eq!(store.pkcs8(&name("listener")).unwrap(), pkcs8);
        assert_eq!(store.protection(&name("listener")).unwrap(), Protection::Passphrase);
    }
    assert_eq!(store.names().unwrap(), [name("listener")]);
    assert!(store.put(&name("junk"), b"junk").is_err());
}

#[test]
fn of_several_that_make_a_secret_or_a_key_at_once_all_get_the_same() {
    let folder = Folder::new();
    let made: Vec<_> = std::thread::scope(|scope| {
        let make = || {
            let store = folder.store(None);
            let secret = store.secret(&name("installation")).unwrap().derive("test");
            let key = store.load_or_create(&name("ca"), KeyAlgorithm::P256).unwrap();
            (*secret, key.public_key().spki_der().to_vec())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|one| *one == made[0]), "there are several");
}
