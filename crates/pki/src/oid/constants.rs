//! The constants, by what they are for.

use super::Oid;

macro_rules! identifiers {
    ($($constant:ident $dotted:literal $name:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`, ", $dotted)]
            pub const $constant: Oid = Oid::constant($dotted);
        )*

        pub(super) const NAMES: &[(Oid, &str)] = &[$(($constant, $name)),*];
    };
}

identifiers! {
    // digests
    MD5 "1.2.840.113549.2.5" "MD5";
    SHA1 "1.3.14.3.2.26" "SHA-1";
    SHA224 "2.16.840.1.101.3.4.2.4" "SHA-224";
    SHA256 "2.16.840.1.101.3.4.2.1" "SHA-256";
    SHA384 "2.16.840.1.101.3.4.2.2" "SHA-384";
    SHA512 "2.16.840.1.101.3.4.2.3" "SHA-512";

    // keys and signatures
    RSA_ENCRYPTION "1.2.840.113549.1.1.1" "rsaEncryption";
    MD5_WITH_RSA "1.2.840.113549.1.1.4" "md5WithRSAEncryption";
    SHA1_WITH_RSA "1.2.840.113549.1.1.5" "sha1WithRSAEncryption";
    RSAES_OAEP "1.2.840.113549.1.1.7" "id-RSAES-OAEP";
    MGF1 "1.2.840.113549.1.1.8" "id-mgf1";
    P_SPECIFIED "1.2.840.113549.1.1.9" "id-pSpecified";
    RSASSA_PSS "1.2.840.113549.1.1.10" "id-RSASSA-PSS";
    SHA256_WITH_RSA "1.2.840.113549.1.1.11" "sha256WithRSAEncryption";
    SHA384_WITH_RSA "1.2.840.113549.1.1.12" "sha384WithRSAEncryption";
    SHA512_WITH_RSA "1.2.840.113549.1.1.13" "sha512WithRSAEncryption";
    SHA224_WITH_RSA "1.2.840.113549.1.1.14" "sha224WithRSAEncryption";
    EC_PUBLIC_KEY "1.2.840.10045.2.1" "id-ecPublicKey";
    P256 "1.2.840.10045.3.1.7" "secp256r1";
    P384 "1.3.132.0.34" "secp384r1";
    P521 "1.3.132.0.35" "secp521r1";
    ECDSA_WITH_SHA1 "1.2.840.10045.4.1" "ecdsa-with-SHA1";
    ECDSA_WITH_SPECIFIED "1.2.840.10045.4.3" "ecdsa-with-Specified";
    ECDSA_WITH_SHA224 "1.2.840.10045.4.3.1" "ecdsa-with-SHA224";
    ECDSA_WITH_SHA256 "1.2.840.10045.4.3.2" "ecdsa-with-SHA256";
    ECDSA_WITH_SHA384 "1.2.840.10045.4.3.3" "ecdsa-with-SHA384";
    ECDSA_WITH_SHA512 "1.2.840.10045.4.3.4" "ecdsa-with-SHA512";
    ED25519 "1.3.101.112" "id-Ed25519";

    // ciphers, key derivation and key wrapping
    DES_CBC "1.3.14.3.2.7" "desCBC";
    DES_EDE3_CBC "1.2.840.113549.3.7" "des-ede3-cbc";
    AES128_CBC "2.16.840.1.101.3.4.1.2" "aes128-CBC";
    AES192_CBC "2.16.840.1.101.3.4.1.22" "aes192-CBC";
    AES256_CBC "2.16.840.1.101.3.4.1.42" "aes256-CBC";
    PBKDF2 "1.2.840.113549.1.5.12" "id-PBKDF2";
    PBES2 "1.2.840.113549.1.5.13" "id-PBES2";
    HMAC_WITH_SHA1 "1.2.840.113549.2.7" "hmacWithSHA1";
    HMAC_WITH_SHA224 "1.2.840.113549.2.8" "hmacWithSHA224";
    HMAC_WITH_SHA256 "1.2.840.113549.2.9" "hmacWithSHA256";
    HMAC_WITH_SHA384 "1.2.840.113549.2.10" "hmacWithSHA384";
    HMAC_WITH_SHA512 "1.2.840.113549.2.11" "hmacWithSHA512";
    PWRI_KEK "1.2.840.113549.1.9.16.3.9" "id-alg-PWRI-KEK";

    // CMS
    DATA "1.2.840.113549.1.7.1" "id-data";
    SIGNED_DATA "1.2.840.113549.1.7.2" "id-signedData";
    ENVELOPED_DATA "1.2.840.113549.1.7.3" "id-envelopedData";
    CONTENT_TYPE "1.2.840.113549.1.9.3" "contentType";
    MESSAGE_DIGEST "1.2.840.113549.1.9.4" "messageDigest";
    SIGNING_TIME "1.2.840.113549.1.9.5" "signingTime";

    // SCEP (RFC 8894, 3.2.1)
    SCEP_MESSAGE_TYPE "2.16.840.1.113733.1.9.2" "messageType";
    SCEP_PKI_STATUS "2.16.840.1.113733.1.9.3" "pkiStatus";
    SCEP_FAIL_INFO "2.16.840.1.113733.1.9.4" "failInfo";
    SCEP_SENDER_NONCE "2.16.840.1.113733.1.9.5" "senderNonce";
    SCEP_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6" "recipientNonce";
    SCEP_TRANSACTION_ID "2.16.840.1.113733.1.9.7" "transactionID";
    SCEP_FAIL_INFO_TEXT "1.3.6.1.5.5.7.24.1" "failInfoText";

    // attributes of certification requests
    CHALLENGE_PASSWORD "1.2.840.113549.1.9.7" "challengePassword";
    EXTENSION_REQUEST "1.2.840.113549.1.9.14" "extensionRequest";
    MS_CERT_EXTENSIONS "1.3.6.1.4.1.311.2.1.14" "szOID_CERT_EXTENSIONS";
    MS_ENROLLMENT_NAME_VALUE_PAIR "1.3.6.1.4.1.311.13.2.1" "szOID_ENROLLMENT_NAME_VALUE_PAIR";
    MS_OS_VERSION "1.3.6.1.4.1.311.13.2.3" "szOID_OS_VERSION";
    MS_REQUEST_CLIENT_INFO "1.3.6.1.4.1.311.21.20" "szOID_REQUEST_CLIENT_INFO";
    MS_ENROLLMENT_CSP_PROVIDER "1.3.6.1.4.1.311.13.2.2" "szOID_ENROLLMENT_CSP_PROVIDER";

    // attributes of names
    COMMON_NAME "2.5.4.3" "commonName";
    SURNAME "2.5.4.4" "surname";
    SERIAL_NUMBER "2.5.4.5" "serialNumber";
    COUNTRY "2.5.4.6" "countryName";
    LOCALITY "2.5.4.7" "localityName";
    STATE "2.5.4.8" "stateOrProvinceName";
    STREET "2.5.4.9" "streetAddress";
    ORGANIZATION "2.5.4.10" "organizationName";
    ORGANIZATIONAL_UNIT "2.5.4.11" "organizationalUnitName";
    TITLE "2.5.4.12" "title";
    DESCRIPTION "2.5.4.13" "description";
    POSTAL_CODE "2.5.4.17" "postalCode";
    NAME "2.5.4.41" "name";
    GIVEN_NAME "2.5.4.42" "givenName";
    INITIALS "2.5.4.43" "initials";
    GENERATION_QUALIFIER "2.5.4.44" "generationQualifier";
    DN_QUALIFIER "2.5.4.46" "dnQualifier";
    PSEUDONYM "2.5.4.65" "pseudonym";
    ORGANIZATION_IDENTIFIER "2.5.4.97" "organizationIdentifier";
    USER_ID "0.9.2342.19200300.100.1.1" "userId";
    DOMAIN_COMPONENT "0.9.2342.19200300.100.1.25" "domainComponent";
    EMAIL_ADDRESS "1.2.840.113549.1.9.1" "emailAddress";
    UNSTRUCTURED_NAME "1.2.840.113549.1.9.2" "unstructuredName";
    UNSTRUCTURED_ADDRESS "1.2.840.113549.1.9.8" "unstructuredAddress";

    // extensions
    SUBJECT_KEY_IDENTIFIER "2.5.29.14" "subjectKeyIdentifier";
    KEY_USAGE "2.5.29.15" "keyUsage";
    SUBJECT_ALT_NAME "2.5.29.17" "subjectAltName";
    ISSUER_ALT_NAME "2.5.29.18" "issuerAltName";
    BASIC_CONSTRAINTS "2.5.29.19" "basicConstraints";
    CRL_NUMBER "2.5.29.20" "cRLNumber";
    REASON_CODE "2.5.29.21" "reasonCode";
    INVALIDITY_DATE "2.5.29.24" "invalidityDate";
    DELTA_CRL_INDICATOR "2.5.29.27" "deltaCRLIndicator";
    ISSUING_DISTRIBUTION_POINT "2.5.29.28" "issuingDistributionPoint";
    CERTIFICATE_ISSUER "2.5.29.29" "certificateIssuer";
    NAME_CONSTRAINTS "2.5.29.30" "nameConstraints";
    CRL_DISTRIBUTION_POINTS "2.5.29.31" "cRLDistributionPoints";
    CERTIFICATE_POLICIES "2.5.29.32" "certificatePolicies";
    ANY_POLICY "2.5.29.32.0" "anyPolicy";
    POLICY_MAPPINGS "2.5.29.33" "policyMappings";
    AUTHORITY_KEY_IDENTIFIER "2.5.29.35" "authorityKeyIdentifier";
    POLICY_CONSTRAINTS "2.5.29.36" "policyConstraints";
    EXTENDED_KEY_USAGE "2.5.29.37" "extKeyUsage";
    FRESHEST_CRL "2.5.29.46" "freshestCRL";
    INHIBIT_ANY_POLICY "2.5.29.54" "inhibitAnyPolicy";
    EXPIRED_CERTS_ON_CRL "2.5.29.60" "expiredCertsOnCRL";
    AUTHORITY_INFO_ACCESS "1.3.6.1.5.5.7.1.1" "authorityInfoAccess";
    TLS_FEATURE "1.3.6.1.5.5.7.1.24" "tlsfeature";
    OCSP_NO_CHECK "1.3.6.1.5.5.7.48.1.5" "ocspNoCheck";
    NETSCAPE_CERT_TYPE "2.16.840.1.113730.1.1" "netscapeCertType";

    // extensions of Microsoft
    MS_CERTIFICATE_TEMPLATE_NAME "1.3.6.1.4.1.311.20.2" "szOID_ENROLL_CERTTYPE_EXTENSION";
    MS_CA_VERSION "1.3.6.1.4.1.311.21.1" "szOID_CERTSRV_CA_VERSION";
    MS_CERTIFICATE_TEMPLATE "1.3.6.1.4.1.311.21.7" "szOID_CERTIFICATE_TEMPLATE";
    MS_APPLICATION_POLICIES "1.3.6.1.4.1.311.21.10" "szOID_APPLICATION_CERT_POLICIES";
    MS_SID "1.3.6.1.4.1.311.25.2" "szOID_NTDS_CA_SECURITY_EXT";
    MS_SID_OBJECT "1.3.6.1.4.1.311.25.2.1" "szOID_NTDS_OBJECTSID";
    ENTRA_DEVICE_ID "1.2.840.113556.1.5.284.2" "entraDeviceId";
    ENTRA_USER_ID "1.2.840.113556.1.5.284.3" "entraUserId";
    ENTRA_DOMAIN_ID "1.2.840.113556.1.5.284.4" "entraDomainId";
    ENTRA_JOIN_TENANT_ID "1.2.840.113556.1.5.284.5" "entraJoinTenantId";
    INTUNE_DEVICE_ID "1.2.840.113556.5.4" "intuneDeviceId";
    ENTRA_TENANT_ID "1.2.840.113556.5.14" "entraTenantId";

    // access methods
    OCSP "1.3.6.1.5.5.7.48.1" "ocsp";
    CA_ISSUERS "1.3.6.1.5.5.7.48.2" "caIssuers";
    CA_REPOSITORY "1.3.6.1.5.5.7.48.5" "caRepository";

    // other names
    MS_UPN "1.3.6.1.4.1.311.20.2.3" "userPrincipalName";
    MS_NTDS_REPLICATION "1.3.6.1.4.1.311.25.1" "ntdsReplication";
    KERBEROS_PRINCIPAL "1.3.6.1.5.2.2" "pkinitSan";

    // extended key usages
    ANY_EXTENDED_KEY_USAGE "2.5.29.37.0" "anyExtendedKeyUsage";
    SERVER_AUTH "1.3.6.1.5.5.7.3.1" "serverAuth";
    CLIENT_AUTH "1.3.6.1.5.5.7.3.2" "clientAuth";
    CODE_SIGNING "1.3.6.1.5.5.7.3.3" "codeSigning";
    EMAIL_PROTECTION "1.3.6.1.5.5.7.3.4" "emailProtection";
    IPSEC_END_SYSTEM "1.3.6.1.5.5.7.3.5" "ipsecEndSystem";
    IPSEC_TUNNEL "1.3.6.1.5.5.7.3.6" "ipsecTunnel";
    IPSEC_USER "1.3.6.1.5.5.7.3.7" "ipsecUser";
    TIME_STAMPING "1.3.6.1.5.5.7.3.8" "timeStamping";
    OCSP_SIGNING "1.3.6.1.5.5.7.3.9" "OCSPSigning";
    EAP_OVER_PPP "1.3.6.1.5.5.7.3.13" "eapOverPPP";
    EAP_OVER_LAN "1.3.6.1.5.5.7.3.14" "eapOverLAN";
    IPSEC_IKE "1.3.6.1.5.5.7.3.17" "ipsecIKE";
    DOCUMENT_SIGNING "1.3.6.1.5.5.7.3.36" "documentSigning";
    CMC_RA "1.3.6.1.5.5.7.3.28" "cmcRA";
    KDC "1.3.6.1.5.2.3.5" "pkInitKdc";
    PKINIT_CLIENT "1.3.6.1.5.2.3.4" "pkInitClientAuth";
    IPSEC_IKE_INTERMEDIATE "1.3.6.1.5.5.8.2.2" "ikeIntermediate";
    MS_SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2" "smartcardLogon";
    MS_ENROLLMENT_AGENT "1.3.6.1.4.1.311.20.2.1" "enrollmentAgent";
    MS_DOCUMENT_SIGNING "1.3.6.1.4.1.311.10.3.12" "msDocumentSigning";
    MS_EFS "1.3.6.1.4.1.311.10.3.4" "encryptingFileSystem";
    ADOBE_DOCUMENT_SIGNING "1.2.840.113583.1.1.5" "adobeAuthenticDocuments";

    // OCSP (RFC 6960, 4.2.1 and 4.4)
    OCSP_BASIC "1.3.6.1.5.5.7.48.1.1" "ocspBasic";
    OCSP_NONCE "1.3.6.1.5.5.7.48.1.2" "ocspNonce";
    OCSP_CRL "1.3.6.1.5.5.7.48.1.3" "ocspCrl";
    OCSP_RESPONSE "1.3.6.1.5.5.7.48.1.4" "ocspResponse";
    OCSP_ARCHIVE_CUTOFF "1.3.6.1.5.5.7.48.1.6" "ocspArchiveCutoff";
    OCSP_SERVICE_LOCATOR "1.3.6.1.5.5.7.48.1.7" "ocspServiceLocator";
    OCSP_PREF_SIG_ALGS "1.3.6.1.5.5.7.48.1.8" "ocspPreferredSignatureAlgorithms";
    OCSP_EXTENDED_REVOKE "1.3.6.1.5.5.7.48.1.9" "ocspExtendedRevoke";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each constant against the text of the document that assigns it. One library was seen to carry the
    /// identifier of another extension under a right name; this table is what keeps ours honest.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn every_constant_is_the_assigned_identifier() {
        let expected: &[(Oid, &str)] = &[
            (MD5, "1.2.840.113549.2.5"),
            (SHA1, "1.3.14.3.2.26"),
            (SHA224, "2.16.840.1.101.3.4.2.4"),
            (SHA256, "2.16.840.1.101.3.4.2.1"),
            (SHA384, "2.16.840.1.101.3.4.2.2"),
            (SHA512, "2.16.840.1.101.3.4.2.3"),
            (RSA_ENCRYPTION, "1.2.840.113549.1.1.1"),
            (MD5_WITH_RSA, "1.2.840.113549.1.1.4"),
            (SHA1_WITH_RSA, "1.2.840.113549.1.1.5"),
            (RSAES_OAEP, "1.2.840.113549.1.1.7"),
            (MGF1, "1.2.840.113549.1.1.8"),
            (P_SPECIFIED, "1.2.840.113549.1.1.9"),
            (RSASSA_PSS, "1.2.840.113549.1.1.10"),
            (SHA256_WITH_RSA, "1.2.840.113549.1.1.11"),
            (SHA384_WITH_RSA, "1.2.840.113549.1.1.12"),
            (SHA512_WITH_RSA, "1.2.840.113549.1.1.13"),
            (SHA224_WITH_RSA, "1.2.840.113549.1.1.14"),
            (EC_PUBLIC_KEY, "1.2.840.10045.2.1"),
            (P256, "1.2.840.10045.3.1.7"),
            (P384, "1.3.132.0.34"),
            (P521, "1.3.132.0.35"),
            (ECDSA_WITH_SHA1, "1.2.840.10045.4.1"),
            (ECDSA_WITH_SPECIFIED, "1.2.840.10045.4.3"),
            (ECDSA_WITH_SHA224, "1.2.840.10045.4.3.1"),
            (ECDSA_WITH_SHA256, "1.2.840.10045.4.3.2"),
            (ECDSA_WITH_SHA384, "1.2.840.10045.4.3.3"),
            (ECDSA_WITH_SHA512, "1.2.840.10045.4.3.4"),
            (ED25519, "1.3.101.112"),
            (DES_CBC, "1.3.14.3.2.7"),
            (DES_EDE3_CBC, "1.2.840.113549.3.7"),
            (AES128_CBC, "2.16.840.1.101.3.4.1.2"),
            (AES192_CBC, "2.16.840.1.101.3.4.1.22"),
            (AES256_CBC, "2.16.840.1.101.3.4.1.42"),
            (PBKDF2, "1.2.840.113549.1.5.12"),
            (PBES2, "1.2.840.113549.1.5.13"),
            (HMAC_WITH_SHA1, "1.2.840.113549.2.7"),
            (HMAC_WITH_SHA224, "1.2.840.113549.2.8"),
            (HMAC_WITH_SHA256, "1.2.840.113549.2.9"),
            (HMAC_WITH_SHA384, "1.2.840.113549.2.10"),
            (HMAC_WITH_SHA512, "1.2.840.113549.2.11"),
            (PWRI_KEK, "1.2.840.113549.1.9.16.3.9"),
            (DATA, "1.2.840.113549.1.7.1"),
            (SIGNED_DATA, "1.2.840.113549.1.7.2"),
            (ENVELOPED_DATA, "1.2.840.113549.1.7.3"),
            (CONTENT_TYPE, "1.2.840.113549.1.9.3"),
            (MESSAGE_DIGEST, "1.2.840.113549.1.9.4"),
            (SIGNING_TIME, "1.2.840.113549.1.9.5"),
            (SCEP_MESSAGE_TYPE, "2.16.840.1.113733.1.9.2"),
            (SCEP_PKI_STATUS, "2.16.840.1.113733.1.9.3"),
            (SCEP_FAIL_INFO, "2.16.840.1.113733.1.9.4"),
            (SCEP_SENDER_NONCE, "2.16.840.1.113733.1.9.5"),
            (SCEP_RECIPIENT_NONCE, "2.16.840.1.113733.1.9.6"),
            (SCEP_TRANSACTION_ID, "2.16.840.1.113733.1.9.7"),
            (SCEP_FAIL_INFO_TEXT, "1.3.6.1.5.5.7.24.1"),
            (CHALLENGE_PASSWORD, "1.2.840.113549.1.9.7"),
            (EXTENSION_REQUEST, "1.2.840.113549.1.9.14"),
            (MS_CERT_EXTENSIONS, "1.3.6.1.4.1.311.2.1.14"),
            (MS_ENROLLMENT_NAME_VALUE_PAIR, "1.3.6.1.4.1.311.13.2.1"),
            (MS_OS_VERSION, "1.3.6.1.4.1.311.13.2.3"),
            (MS_REQUEST_CLIENT_INFO, "1.3.6.1.4.1.311.21.20"),
            (MS_ENROLLMENT_CSP_PROVIDER, "1.3.6.1.4.1.311.13.2.2"),
            (COMMON_NAME, "2.5.4.3"),
            (SURNAME, "2.5.4.4"),
            (SERIAL_NUMBER, "2.5.4.5"),
            (COUNTRY, "2.5.4.6"),
            (LOCALITY, "2.5.4.7"),
            (STATE, "2.5.4.8"),
            (STREET, "2.5.4.9"),
            (ORGANIZATION, "2.5.4.10"),
            (ORGANIZATIONAL_UNIT, "2.5.4.11"),
            (TITLE, "2.5.4.12"),
            (DESCRIPTION, "2.5.4.13"),
            (POSTAL_CODE, "2.5.4.17"),
            (NAME, "2.5.4.41"),
            (GIVEN_NAME, "2.5.4.42"),
            (INITIALS, "2.5.4.43"),
            (GENERATION_QUALIFIER, "2.5.4.44"),
            (DN_QUALIFIER, "2.5.4.46"),
            (PSEUDONYM, "2.5.4.65"),
            (ORGANIZATION_IDENTIFIER, "2.5.4.97"),
            (USER_ID, "0.9.2342.19200300.100.1.1"),
            (DOMAIN_COMPONENT, "0.9.2342.19200300.100.1.25"),
            (EMAIL_ADDRESS, "1.2.840.113549.1.9.1"),
            (UNSTRUCTURED_NAME, "1.2.840.113549.1.9.2"),
            (UNSTRUCTURED_ADDRESS, "1.2.840.113549.1.9.8"),
            (SUBJECT_KEY_IDENTIFIER, "2.5.29.14"),
            (KEY_USAGE, "2.5.29.15"),
            (SUBJECT_ALT_NAME, "2.5.29.17"),
            (ISSUER_ALT_NAME, "2.5.29.18"),
            (BASIC_CONSTRAINTS, "2.5.29.19"),
            (CRL_NUMBER, "2.5.29.20"),
            (REASON_CODE, "2.5.29.21"),
            (INVALIDITY_DATE, "2.5.29.24"),
            (DELTA_CRL_INDICATOR, "2.5.29.27"),
            (ISSUING_DISTRIBUTION_POINT, "2.5.29.28"),
            (CERTIFICATE_ISSUER, "2.5.29.29"),
            (NAME_CONSTRAINTS, "2.5.29.30"),
            (CRL_DISTRIBUTION_POINTS, "2.5.29.31"),
            (CERTIFICATE_POLICIES, "2.5.29.32"),
            (ANY_POLICY, "2.5.29.32.0"),
            (POLICY_MAPPINGS, "2.5.29.33"),
            (AUTHORITY_KEY_IDENTIFIER, "2.5.29.35"),
            (POLICY_CONSTRAINTS, "2.5.29.36"),
            (EXTENDED_KEY_USAGE, "2.5.29.37"),
            (FRESHEST_CRL, "2.5.29.46"),
            (INHIBIT_ANY_POLICY, "2.5.29.54"),
            (EXPIRED_CERTS_ON_CRL, "2.5.29.60"),
            (AUTHORITY_INFO_ACCESS, "1.3.6.1.5.5.7.1.1"),
            (TLS_FEATURE, "1.3.6.1.5.5.7.1.24"),
            (OCSP_NO_CHECK, "1.3.6.1.5.5.7.48.1.5"),
            (NETSCAPE_CERT_TYPE, "2.16.840.1.113730.1.1"),
            (MS_CERTIFICATE_TEMPLATE_NAME, "1.3.6.1.4.1.311.20.2"),
            (MS_CA_VERSION, "1.3.6.1.4.1.311.21.1"),
            (MS_CERTIFICATE_TEMPLATE, "1.3.6.1.4.1.311.21.7"),
            (MS_APPLICATION_POLICIES, "1.3.6.1.4.1.311.21.10"),
            (MS_SID, "1.3.6.1.4.1.311.25.2"),
            (MS_SID_OBJECT, "1.3.6.1.4.1.311.25.2.1"),
            (ENTRA_DEVICE_ID, "1.2.840.113556.1.5.284.2"),
            (ENTRA_USER_ID, "1.2.840.113556.1.5.284.3"),
            (ENTRA_DOMAIN_ID, "1.2.840.113556.1.5.284.4"),
            (ENTRA_JOIN_TENANT_ID, "1.2.840.113556.1.5.284.5"),
            (INTUNE_DEVICE_ID, "1.2.840.113556.5.4"),
            (ENTRA_TENANT_ID, "1.2.840.113556.5.14"),
            (OCSP, "1.3.6.1.5.5.7.48.1"),
            (CA_ISSUERS, "1.3.6.1.5.5.7.48.2"),
            (CA_REPOSITORY, "1.3.6.1.5.5.7.48.5"),
            (MS_UPN, "1.3.6.1.4.1.311.20.2.3"),
            (MS_NTDS_REPLICATION, "1.3.6.1.4.1.311.25.1"),
            (KERBEROS_PRINCIPAL, "1.3.6.1.5.2.2"),
            (ANY_EXTENDED_KEY_USAGE, "2.5.29.37.0"),
            (SERVER_AUTH, "1.3.6.1.5.5.7.3.1"),
            (CLIENT_AUTH, "1.3.6.1.5.5.7.3.2"),
            (CODE_SIGNING, "1.3.6.1.5.5.7.3.3"),
            (EMAIL_PROTECTION, "1.3.6.1.5.5.7.3.4"),
            (IPSEC_END_SYSTEM, "1.3.6.1.5.5.7.3.5"),
            (IPSEC_TUNNEL, "1.3.6.1.5.5.7.3.6"),
            (IPSEC_USER, "1.3.6.1.5.5.7.3.7"),
            (TIME_STAMPING, "1.3.6.1.5.5.7.3.8"),
            (OCSP_SIGNING, "1.3.6.1.5.5.7.3.9"),
            (EAP_OVER_PPP, "1.3.6.1.5.5.7.3.13"),
            (EAP_OVER_LAN, "1.3.6.1.5.5.7.3.14"),
            (IPSEC_IKE, "1.3.6.1.5.5.7.3.17"),
            (DOCUMENT_SIGNING, "1.3.6.1.5.5.7.3.36"),
            (CMC_RA, "1.3.6.1.5.5.7.3.28"),
            (KDC, "1.3.6.1.5.2.3.5"),
            (PKINIT_CLIENT, "1.3.6.1.5.2.3.4"),
            (IPSEC_IKE_INTERMEDIATE, "1.3.6.1.5.5.8.2.2"),
            (MS_SMARTCARD_LOGON, "1.3.6.1.4.1.311.20.2.2"),
            (MS_ENROLLMENT_AGENT, "1.3.6.1.4.1.311.20.2.1"),
            (MS_DOCUMENT_SIGNING, "1.3.6.1.4.1.311.10.3.12"),
            (MS_EFS, "1.3.6.1.4.1.311.10.3.4"),
            (ADOBE_DOCUMENT_SIGNING, "1.2.840.113583.1.1.5"),
            (OCSP_BASIC, "1.3.6.1.5.5.7.48.1.1"),
            (OCSP_NONCE, "1.3.6.1.5.5.7.48.1.2"),
            (OCSP_CRL, "1.3.6.1.5.5.7.48.1.3"),
            (OCSP_RESPONSE, "1.3.6.1.5.5.7.48.1.4"),
            (OCSP_ARCHIVE_CUTOFF, "1.3.6.1.5.5.7.48.1.6"),
            (OCSP_SERVICE_LOCATOR, "1.3.6.1.5.5.7.48.1.7"),
            (OCSP_PREF_SIG_ALGS, "1.3.6.1.5.5.7.48.1.8"),
            (OCSP_EXTENDED_REVOKE, "1.3.6.1.5.5.7.48.1.9"),
        ];
        assert_eq!(expected.len(), NAMES.len(), "a constant is missing here");
        for (oid, dotted) in expected {
            assert_eq!(oid.to_string(), *dotted);
            assert_eq!(dotted.parse(), Ok(*oid));
            assert_eq!(Oid::from_bytes(oid.as_bytes()), Some(*oid));
            assert_eq!(oid.as_bytes(), const_oid::ObjectIdentifier::new_unwrap(dotted).as_bytes());
        }
    }

    #[test]
    fn no_identifier_is_listed_twice() {
        let mut all: Vec<Oid> = NAMES.iter().map(|(oid, _)| *oid).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), NAMES.len());
    }

    /// A second opinion that was not typed by us: the registry of `const-oid`, by name.
    #[test]
    fn the_registry_agrees_about_the_extensions() {
        let registry = const_oid::db::DB;
        for (oid, name) in [
            (ISSUING_DISTRIBUTION_POINT, "id-ce-issuingDistributionPoint"),
            (DELTA_CRL_INDICATOR, "id-ce-deltaCRLIndicator"),
            (AUTHORITY_KEY_IDENTIFIER, "id-ce-authorityKeyIdentifier"),
            (SUBJECT_KEY_IDENTIFIER, "id-ce-subjectKeyIdentifier"),
            (KEY_USAGE, "id-ce-keyUsage"),
            (EXTENDED_KEY_USAGE, "id-ce-extKeyUsage"),
            (BASIC_CONSTRAINTS, "id-ce-basicConstraints"),
            (SUBJECT_ALT_NAME, "id-ce-subjectAltName"),
            (NAME_CONSTRAINTS, "id-ce-nameConstraints"),
            (CRL_DISTRIBUTION_POINTS, "id-ce-cRLDistributionPoints"),
            (CERTIFICATE_POLICIES, "id-ce-certificatePolicies"),
            (FRESHEST_CRL, "id-ce-freshestCRL"),
            (CRL_NUMBER, "id-ce-cRLNumber"),
            (REASON_CODE, "id-ce-cRLReasons"),
            (INVALIDITY_DATE, "id-ce-invalidityDate"),
            (AUTHORITY_INFO_ACCESS, "id-pe-authorityInfoAccess"),
            (OCSP, "id-ad-ocsp"),
            (CA_ISSUERS, "id-ad-caIssuers"),
            (OCSP_SIGNING, "id-kp-OCSPSigning"),
        ] {
            let theirs = registry.by_name(name).unwrap_or_else(|| panic!("{name} is unknown"));
            assert_eq!(oid.as_bytes(), theirs.as_bytes(), "{name}");
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "1..2",
            "3.1",
            "1.40",
            "1.2.x",
            "1.02",
            "1.2.99999999999999999999",
        ] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
        for octets in [&[][..], &[0x80, 0x01], &[0x2a, 0x80, 0x01], &[0x2a, 0x86], &[1; 40]] {
            assert_eq!(Oid::from_bytes(octets), None, "{octets:02x?}");
        }
    }

    #[test]
    fn a_uuid_as_an_arc_is_kept() {
        let mut contents = vec![0x69, 0x83];
        contents.extend([0xff; 17]);
        contents.push(0x7f);
        let oid = Oid::from_bytes(&contents).unwrap();
        assert_eq!(oid.to_string(), "2.25.340282366920938463463374607431768211455");
        contents[1] = 0x84;
        assert!(Oid::from_bytes(&contents).is_none());
    }

    proptest! {
        #[test]
        fn contents_and_text_agree(contents in proptest::collection::vec(any::<u8>(), 0..42)) {
            if let Some(oid) = Oid::from_bytes(&contents) {
                prop_assert_eq!(oid.as_bytes(), &contents[..]);
                if let Ok(read) = oid.to_string().parse::<Oid>() {
                    prop_assert_eq!(read, oid);
                }
            }
        }
    }
}
