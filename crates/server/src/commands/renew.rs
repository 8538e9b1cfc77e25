//! `lanyard renew`: a new certificate for an old one, when it is due.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::{Certificate, Time};
use lanyard_signer::{Signer as _, SoftwareKey};
use serde_json::json;

use super::enroll::{
    Obtained, ServerArgs, asked_names, new_key, read_certificate, read_key, save, write_key,
};
use crate::client::scep::Order;
use crate::config::unit::Span;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;

/// Flags of `lanyard renew`.
#[derive(Debug, Args)]
pub struct RenewArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The certificate to renew; the new one takes its place
    #[arg(long, value_name = "FILE", default_value = "certificate.pem")]
    certificate: PathBuf,
    /// Its key; the new one takes its place
    #[arg(long, value_name = "FILE", default_value = "key.pem")]
    key: PathBuf,
    /// Renew when less than this is left [default: a third of the certificate's validity]
    #[arg(long, value_name = "SPAN")]
    when_left: Option<Span>,
    /// Renew even though it is not due
    #[arg(long)]
    force: bool,
    /// Keep the key instead of making a new one
    #[arg(long)]
    keep_key: bool,
}

/// Renews a certificate when it is due.
pub async fn run(args: RenewArgs, output: Output) -> Result<(), Failure> {
    let staged = Staged::new(&args.certificate, &args.key);
    staged.finish_interrupted()?;
    let old = read_certificate(&args.certificate)?;
    let old_key = read_key(&args.key)?;
    if old.spki_der() != old_key.public_key().spki_der() {
        let text =
            format!("{} is not the key of {}", args.key.display(), args.certificate.display());
        return Err(Failure::new(ExitStatus::Usage, text));
    }
    let due = due(&old, args.when_left);
    if !args.force && SystemClock.now() < due {
        let answer =
            json!({ "renewed": false, "serial": old.serial().to_string(), "due": due.to_string() });
        return output
            .answer(&answer, || format!("Certificate {} is not due before {due}.", old.serial()));
    }
    let client = args.server.connect(output).await?;
    let new_key = if args.keep_key { None } else { Some(staged.key(&old, output).await?) };
    let challenge = args.server.challenge()?;
    let order = Order {
        key: new_key.as_ref().unwrap_or(&old_key),
        subject: old.subject().clone(),
        extensions: asked_names(old.subject_alt_names().unwrap_or_default()),
        challenge: challenge.as_ref(),
        validity: None,
        renews: Some((&old, &old_key)),
        now: SystemClock.now(),
    };
    let certificates = args.server.request(&client, &order, output).await?;
    let obtained = if args.keep_key {
        save(&certificates, &args.certificate, &args.key)?
    } else {
        save(&certificates, &staged.new_certificate, &staged.new_key)?;
        staged.take_over()?;
        let issued = read_certificate(&args.certificate)?;
        Obtained::new(&issued, &args.certificate, &args.key)
    };
    output.answer(&obtained, || obtained.sentence())
}

/// From when on a certificate is due.
fn due(certificate: &Certificate, when_left: Option<Span>) -> Time {
    let validity = certificate.not_after().seconds_since(certificate.not_before());
    let left = when_left.map_or(validity / 3, Span::as_signed_seconds);
    certificate.not_after().plus(-left)
}

/// New key and certificate beside the old ones until both are there: whatever is killed when, a pair that fits remains.
struct Staged {
    certificate: PathBuf,
    key: PathBuf,
    new_certificate: PathBuf,
    new_key: PathBuf,
}

impl Staged {
    fn new(certificate: &Path, key: &Path) -> Self {
        let beside = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".new");
            PathBuf::from(name)
        };
        Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            new_certificate: beside(certificate),
            new_key: beside(key),
        }
    }

    /// The key of the new certificate: the one of an interrupted renewal, else a new one like the old one.
    async fn key(&self, old: &Certificate, output: Output) -> Result<SoftwareKey, Failure> {
        if self.new_key.exists() {
            return read_key(&self.new_key);
        }
        let algorithm =
            old.public_key().map_err(|error| Failure::new(ExitStatus::Failed, error))?.algorithm();
        let pkcs8 = output.progress("Making a key", new_key(algorithm)).await?;
        write_key(&self.new_key, &pkcs8)?;
        SoftwareKey::from_pkcs8(&pkcs8).map_err(|error| Failure::new(ExitStatus::Failed, error))
    }

    /// Puts a renewal that was interrupted at its end in place.
    fn finish_interrupted(&self) -> Result<(), Failure> {
        if !self.new_certificate.exists() {
            return Ok(());
        }
        let fits = |key: &Path| {
            let certificate = read_certificate(&self.new_certificate)?;
            Ok::<_, Failure>(certificate.spki_der() == read_key(key)?.public_key().spki_der())
        };
        if self.new_key.exists() && fits(&self.new_key)? {
            return self.take_over();
        }
        if fits(&self.key)? {
            fs::rename(&self.new_certificate, &self.certificate)?;
        }
        Ok(())
    }

    fn take_over(&self) -> Result<(), Failure> {
        fs::rename(&self.new_key, &self.key)?;
        fs::rename(&self.new_certificate, &self.certificate)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        (folder.join(format!("{name}.pem")), folder.join(format!("{name}-key.pem")))
    }

    #[test]
    fn an_interrupted_renewal_leaves_a_pair_that_fits() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = pair(folder.path(), "device");
        let staged = Staged::new(&certificate, &key);
        let (old, old_key) = crate::testing::self_signed("CN=old");
        let (new, new_key) = crate::testing::self_signed("CN=new");
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        write(&certificate, &old);
        write(&key, &old_key);
        write(&staged.new_certificate, &new);
        write(&staged.new_key, &new_key);
        // Killed after the first of the two renames.
        fs::rename(&staged.new_key, &key).unwrap();
        staged.finish_interrupted().unwrap();
        assert_eq!(fs::read_to_string(&certificate).unwrap(), new);
        assert_eq!(fs::read_to_string(&key).unwrap(), new_key);
        assert!(!staged.new_certificate.exists());
    }

    #[test]
    fn a_certificate_is_due_when_a_third_is_left_unless_told_otherwise() {
        let (pem, _) = crate::testing::self_signed("CN=device");
        let der = lanyard_pki::pem::decode(lanyard_pki::pem::CERTIFICATE, &pem).unwrap();
        let certificate = Certificate::from_der(&der).unwrap();
        let validity = certificate.not_after().seconds_since(certificate.not_before());
        assert_eq!(due(&certificate, None), certificate.not_after().plus(-validity / 3));
        let left = Some(Span::days(1));
        assert_eq!(due(&certificate, left), certificate.not_after().plus(-86_400));
    }
}
