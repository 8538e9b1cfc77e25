use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};

use super::*;

fn sources(file: &str, environment: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanyard.toml");
    std::fs::write(&path, file).unwrap();
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (folder, Sources { file: Some(path), environment, flags: Vec::new() })
}

fn faults(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let (folder, sources) = sources(file, environment);
    let folder = folder.path().display().to_string();
    let faults = sources.load().unwrap_err().0;
    faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect()
}

#[test]
fn an_empty_file_is_the_defaults() {
    let (_folder, sources) = sources("", &[]);
    let loaded = sources.load().unwrap();
    assert_eq!(loaded.config.data, PathBuf::from("/var/lib/lanyard"));
    assert_eq!(loaded.origins.of("data"), Origin::Default);
    assert!(loaded.config.endpoints.r#static.challenge.is_none());
}

#[test]
fn the_environment_goes_before_the_file_and_a_flag_before_both() {
    let (_folder, mut sources) = sources(
        "data = \"/a\"\n[limits]\nscep_concurrency = 7\nscep_queue = 8\n",
        &[
            ("LANYARD_LIMITS_SCEP_CONCURRENCY", "9"),
            ("LANYARD_DATA", "/b"),
            ("LANYARD_LISTEN_HTTP", "127.0.0.1:1,[::1]:2"),
        ],
    );
    sources.flag("--data", "data", "/c");
    let Loaded { config, origins } = sources.load().unwrap();
    assert_eq!((config.limits.scep_concurrency, config.limits.scep_queue), (9, 8));
    assert_eq!(config.listen.http.len(), 2);
    assert_eq!(config.data, PathBuf::from("/c"));
    assert_eq!(origins.of("data"), Origin::Flag("--data"));
    assert!(matches!(origins.of("limits.scep_queue"), Origin::File { line: Some(4), .. }));
    assert_eq!(origins.of("listen.http"), Origin::Environment("LANYARD_LISTEN_HTTP".into()));
}

#[test]
fn every_fault_is_reported_at_once_with_its_path_and_place() {
    let file = "dta = 1\n[listen]\nhttp = [\"nowhere\"]\nheader_timeout = \"10\"\n[limits]\nscep_concurrency = 0\n\
                colour = \"red\"\n[crl]\ninterval = \"30d\"\n[storage]\nurl = \"postgres://u:p@h/d\"\n\
                [endpoints.static]\nchallenge = \"inline\"\n[authority]\nsubject = \"nonsense\"\n";
    let environment = [
        ("LANYARD_LIMITS_SCEP_BODY", "1B"),
        ("LANYARD_LIMIT_SCEP", "1"),
        ("LANYARD_CRL_DELTA_FROM", "many"),
    ];
    insta::assert_snapshot!(faults(file, &environment).join("\n"));
}

#[test]
fn a_file_that_is_not_toml_says_where() {
    let faults = faults("data = \n", &[]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("line 1"), "{}", faults[0]);
}

#[test]
fn secrets_come_from_the_environment_then_a_credential_then_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("challenge");
    std::fs::write(&file, "from the file\n").unwrap();
    let text = format!("[endpoints.static]\nchallenge_file = {:?}\n", file.to_str().unwrap());
    let challenge = |environment: &[(&str, &str)]| {
        let (_folder, sources) = sources(&text, environment);
        let loaded = sources.load().unwrap();
        let challenge = loaded.config.endpoints.r#static.challenge.unwrap();
        (challenge.expose_secret().to_owned(), loaded.origins.of("endpoints.static.challenge"))
    };
    assert_eq!(challenge(&[]), ("from the file".into(), Origin::SecretFile(file.clone())));
    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(credentials.path().join("endpoints.static.challenge"), "from systemd").unwrap();
    let directory = ("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap());
    assert_eq!(challenge(&[directory]).0, "from systemd");
    let variable = ("LANYARD_ENDPOINTS_STATIC_CHALLENGE", "from the environment");
    assert_eq!(challenge(&[directory, variable]).0, "from the environment");
}

#[test]
fn secrets_of_directories_come_from_the_environment_then_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("directory.my-fleet.webhook_secret"), "Bearer x\n").unwrap();
    std::fs::write(folder.path().join("directory.my-fleet.secret"), "of systemd").unwrap();
    let file = "[[directory]]\nname = \"my-fleet\"\ntype = \"jamf\"\nclient_id = \"c\"\n\
                url = \"https://example.jamfcloud.com\"\n";
    let (_folder, sources) = sources(
        file,
        &[
            ("LANYARD_DIRECTORY_MY_FLEET_SECRET", "of the environment"),
            ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()),
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
            ("IDENTITY_HEADER", "of the app service"),
        ],
    );
    let loaded = sources.load().unwrap();
    let section = &loaded.config.directory[0];
    let secret = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned())
    };
    assert_eq!(secret(&section.secret).as_deref(), Some("of the environment"));
    assert_eq!(secret(&section.webhook_secret).as_deref(), Some("Bearer x"));
    let app_service = section.app_service.as_ref().unwrap();
    assert_eq!(app_service.endpoint.port(), Some(41));
    assert_eq!(app_service.header.expose_secret(), "of the app service");
    let rows = document::shown(&loaded);
    let shown = rows.iter().find(|(path, ..)| path == "directory[0].secret").unwrap();
    assert_eq!(shown.1, "(set, not shown)");
    assert_eq!(shown.2, Origin::Environment("LANYARD_DIRECTORY_MY_FLEET_SECRET".into()));
    assert!(!format!("{rows:?}{loaded:?}").contains("of the"));
    let unknown = faults("", &[("LANYARD_DIRECTORY_MY_FLEET_SECRET", "x")]);
    assert_eq!(unknown.len(), 1, "no directory has this name: {unknown:?}");
}

#[test]
fn what_is_of_the_other_kind_of_directory_is_a_fault_that_says_so() {
    let file = "[[directory]]\nname = \"contoso\"\ntenant_id = \"0f8fad5b-d9cb-469f-a165-70867728950e\"\n\
                webhook_secret_file = \"/s\"\nusername = \"u\"\nfollow = [\"user_risk\"]\n\
                notification_url = \"https://ca.example/n\"\nclient_id = \"c\"\n\
                identity_object_id = \"7c9e6679-7425-40de-944b-e07fc1f90ae7\"\n\
                [[directory]]\nname = \"fleet\"\ntype = \"jamf\"\nurl = \"https://example.jamfcloud.com\"\n\
                client_id = \"c\"\nsecret_file = \"/s\"\nnotification_url = \"https://ca.example/n\"\n\
                identity_resource_id = \"/subscriptions/x\"\nintune_resource = \"https://x.example/\"\n\
                [[directory]]\nname = \"third\"\ntenant_id = \"7c9e6679-7425-40de-944b-e07fc1f90ae7\"\n\
                identity_resource_id = \"x\"\nclient_id = \"c\"\nsecret_file = \"/s\"\n";
    insta::assert_snapshot!(faults(file, &[]).join("\n"));
}

#[test]
fn what_is_shown_never_holds_a_secret() {
    let (_folder, sources) = sources("", &[("LANYARD_KEYS_PASSPHRASE", "open sesame")]);
    let loaded = sources.load().unwrap();
    let rows = document::shown(&loaded);
    let passphrase = rows.iter().find(|(path, ..)| path == "keys.passphrase").unwrap();
    assert_eq!(passphrase.1, "(set, not shown)");
    assert_eq!(passphrase.2, Origin::Environment("LANYARD_KEYS_PASSPHRASE".into()));
    assert!(!format!("{rows:?}{loaded:?}").contains("sesame"));
}

#[test]
fn no_two_settings_share_an_environment_variable() {
    let mut names: Vec<_> =
        document::settings().iter().map(|s| load::variable_of(&s.path)).collect();
    names.extend(secret::SECRETS.iter().map(|secret| load::variable_of(secret.path)));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_setting_is_described_and_the_example_is_accepted_once_uncommented() {
    for section in document::sections() {
        assert!(section.path.is_empty() || !section.description.is_empty(), "{}", section.path);
        for setting in section.settings {
            assert!(!setting.description.is_empty(), "{}", setting.path);
        }
    }
    let example = document::example();
    let set: Vec<_> = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && !setting.ends_with('=') => setting,
            _ => line,
        })
        .collect();
    let (_folder, sources) = sources(&set.join("\n"), &[]);
    let loaded = sources.load().unwrap();
    assert_eq!(
        toml::to_string(&loaded.config).unwrap(),
        toml::to_string(&Config::default()).unwrap()
    );
}

#[test]
fn the_committed_documents_are_current() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let schema = serde_json::to_string_pretty(&document::schema()).unwrap() + "\n";
    let made = [
        ("lanyard.example.toml", document::example()),
        ("configuration.schema.json", schema),
        ("configuration.md", document::reference()),
    ];
    for (name, text) in made {
        let committed = std::fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(
            committed == text,
            "docs/reference/{name} is not what the types say: run `lanyard config documents docs/reference`"
        );
    }
}

/// A tenant and an instance of Jamf Pro, as a file has them.
const DIRECTORIES: &str = "[[directory]]\nname = \"contoso\"\ntenant_id = \"0f8fad5b-d9cb-469f-a165-70867728950e\"\n\
                           [[directory]]\nname = \"fleet\"\ntype = \"jamf\"\nurl = \"https://example.jamfcloud.com\"\n\
                           client_id = \"lanyard\"\nsecret_file = \"/s\"\n";

#[test]
fn every_fault_of_endpoints_and_tethers_is_reported_at_once() {
    let file = "[endpoints.intune]\navailability = \"open\"\nusages = [\"client\"]\nbootstrap_validity = \"1min\"\n\
                [endpoints.static_aad]\nrenewal_kinds = [\"intune-device\"]\ndirectory = \"nowhere\"\n\
                [endpoints.jamf]\nchallenge = \"inline\"\n[endpoints.dc]\nkey_usages = []\nmaximum_validity = \"1h\"\n\
                [tether]\nbrake_share = 0\nbrake_window = \"1s\"\nrevoke_on_wipe = \"maybe\"\n";
    let challenge = "a challenge of more than thirty-two characters";
    let environment = [
        ("LANYARD_ENDPOINTS_STATIC_AAD_CHALLENGE", "challenge"),
        ("LANYARD_ENDPOINTS_JAMF_CHALLENGE", challenge),
    ];
    let faults = faults(file, &environment).join("\n");
    assert!(!faults.contains(challenge), "{faults}");
    insta::assert_snapshot!(faults);
}

#[test]
fn an_endpoint_finds_the_only_directory_of_its_kind_and_is_told_to_choose_among_several() {
    let open = "[endpoints.intune]\navailability = \"open\"\n";
    let challenge = [("LANYARD_ENDPOINTS_JAMF_CHALLENGE", "challenge")];
    let (_folder, one) = sources(&format!("{open}{DIRECTORIES}"), &challenge);
    let config = one.load().unwrap().config;
    let name = |section: Option<&DirectorySection>| section.map(|one| one.name.clone());
    let endpoints = &config.endpoints;
    assert_eq!(name(endpoints.intune_directory(&config.directory)).as_deref(), Some("contoso"));
    assert_eq!(name(endpoints.jamf_directory(&config.directory)).as_deref(), Some("fleet"));
    assert_eq!(name(endpoints.static_aad_directory(&config.directory)), None);

    let second = "[[directory]]\nname = \"fabrikam\"\ntenant_id = \"7c9e6679-7425-40de-944b-e07fc1f90ae7\"\n\
                  follow = [\"intune\"]\n";
    let several = faults(&format!("{open}{DIRECTORIES}{second}"), &[]);
    assert_eq!(several.len(), 1, "{several:?}");
    assert!(several[0].contains("names one of contoso, fabrikam"), "{several:?}");
    let named = faults(&format!("{open}directory = \"fabrikam\"\n{DIRECTORIES}{second}"), &[]);
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(named[0].contains("\"fabrikam\" must follow entra"), "{named:?}");
}

#[test]
fn an_endpoint_with_a_challenge_is_open_until_it_is_closed() {
    let environment = [
        ("LANYARD_ENDPOINTS_DC_CHALLENGE", "challenge"),
        ("LANYARD_ENDPOINTS_STATIC_CHALLENGE", "challenge"),
        ("LANYARD_ENDPOINTS_STATIC_AVAILABILITY", "closed"),
    ];
    let (_folder, sources) = sources("", &environment);
    let endpoints = sources.load().unwrap().config.endpoints;
    assert!(endpoints.dc.is_open());
    assert!(!endpoints.r#static.is_open());
    assert!(!endpoints.intune.is_open());
    assert!(!endpoints.jamf.is_open());
}
