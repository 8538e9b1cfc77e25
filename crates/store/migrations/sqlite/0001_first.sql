CREATE TABLE ca (
    id             INTEGER PRIMARY KEY,
    organization   BLOB NOT NULL,
    department     BLOB,
    name           TEXT NOT NULL,
    state          INTEGER NOT NULL,
    key_identifier BLOB NOT NULL UNIQUE,
    key_reference  TEXT NOT NULL,
    request        BLOB,
    certificate    BLOB,
    chain          BLOB,
    not_before     INTEGER,
    not_after      INTEGER,
    created_at     INTEGER NOT NULL,
    activated_at   INTEGER,
    retired_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX ca_one_current ON ca (organization) WHERE state = 2;

CREATE TABLE ra_certificate (
    id            INTEGER PRIMARY KEY,
    ca            INTEGER NOT NULL REFERENCES ca (id),
    organization  BLOB NOT NULL,
    department    BLOB,
    state         INTEGER NOT NULL,
    certificate   BLOB NOT NULL,
    key_reference TEXT NOT NULL,
    not_before    INTEGER NOT NULL,
    not_after     INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

-- What a status answer reads comes first. The certificate's bytes and fingerprint live in
-- certificate_der, so that rows stay short and, once inserted, change only in columns without an
-- index.
CREATE TABLE certificate (
    id                     INTEGER PRIMARY KEY,
    serial                 BLOB NOT NULL,
    ca                     INTEGER NOT NULL REFERENCES ca (id),
    standing               INTEGER NOT NULL DEFAULT 0,
    kind                   INTEGER NOT NULL,
    object                 BLOB NOT NULL,
    directory              BLOB,
    source                 INTEGER NOT NULL,
    endpoint               BLOB NOT NULL,
    organization           BLOB NOT NULL,
    department             BLOB,
    not_before             INTEGER NOT NULL,
    not_after              INTEGER NOT NULL,
    issued_at              INTEGER NOT NULL,
    reason                 INTEGER,
    since                  INTEGER,
    invalidity_date        INTEGER,
    crl_partition          INTEGER NOT NULL,
    status_sequence        INTEGER,
    revoked_by             TEXT,
    revocation_recorded_at INTEGER,
    certificate_until      INTEGER,
    profile                TEXT NOT NULL,
    spki_sha256            BLOB,
    subject                TEXT,
    common_name            TEXT,
    upn                    TEXT,
    requester              TEXT,
    alternative_names      TEXT
) STRICT;
CREATE UNIQUE INDEX certificate_serial ON certificate (serial);
CREATE INDEX certificate_object ON certificate (object) WHERE directory IS NOT NULL;
CREATE INDEX certificate_common_name ON certificate (lower(common_name))
    WHERE common_name IS NOT NULL;
CREATE INDEX certificate_upn ON certificate (lower(upn)) WHERE upn IS NOT NULL;
CREATE INDEX certificate_end ON certificate (not_after);
-- Covers what a CRL needs, so that building one reads nothing but this index.
CREATE INDEX certificate_revoked ON certificate
    (ca, not_after, serial, crl_partition, standing, reason, since, invalidity_date)
    WHERE standing <> 0;
-- Walks those that are not good from the newest on.
CREATE INDEX certificate_not_good ON certificate (id) WHERE standing <> 0;
CREATE INDEX certificate_changed ON certificate (status_sequence)
    WHERE status_sequence IS NOT NULL;

CREATE TABLE certificate_der (
    id          INTEGER PRIMARY KEY REFERENCES certificate (id),
    fingerprint BLOB NOT NULL,
    kept_until  INTEGER,
    der         BLOB NOT NULL
) STRICT;
CREATE INDEX certificate_der_fingerprint ON certificate_der (fingerprint);
CREATE INDEX certificate_der_kept_until ON certificate_der (kept_until)
    WHERE kept_until IS NOT NULL;

CREATE TABLE certificate_count (
    organization BLOB NOT NULL,
    department   BLOB NOT NULL,
    kind         INTEGER NOT NULL,
    standing     INTEGER NOT NULL,
    n            INTEGER NOT NULL,
    PRIMARY KEY (organization, department, kind, standing)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrollment (
    id             INTEGER PRIMARY KEY,
    endpoint       BLOB NOT NULL,
    transaction_id BLOB NOT NULL,
    organization   BLOB NOT NULL,
    department     BLOB,
    signer_sha256  BLOB NOT NULL,
    csr_sha256     BLOB NOT NULL,
    csr            BLOB,
    context        TEXT,
    subject        TEXT,
    renews         BLOB,
    address        TEXT,
    received_at    INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    state          INTEGER NOT NULL,
    certificate    INTEGER,
    decided_by     TEXT,
    decided_at     INTEGER,
    reason         TEXT
) STRICT;
CREATE UNIQUE INDEX enrollment_transaction ON enrollment (endpoint, transaction_id);
CREATE INDEX enrollment_pending ON enrollment (id) WHERE state = 0;

CREATE TABLE crl_number (
    ca            INTEGER NOT NULL REFERENCES ca (id),
    crl_partition INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    PRIMARY KEY (ca, crl_partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE crl (
    ca              INTEGER NOT NULL REFERENCES ca (id),
    crl_partition   INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    base            INTEGER,
    organization    BLOB NOT NULL,
    department      BLOB,
    this_update     INTEGER NOT NULL,
    next_update     INTEGER NOT NULL,
    status_sequence INTEGER NOT NULL,
    entries         INTEGER NOT NULL,
    der             BLOB NOT NULL,
    PRIMARY KEY (ca, crl_partition, kind, number)
) STRICT;

CREATE TABLE audit (
    number       INTEGER PRIMARY KEY,
    hash         BLOB NOT NULL,
    at           INTEGER NOT NULL,
    organization BLOB NOT NULL,
    department   BLOB,
    actor        TEXT NOT NULL,
    address      TEXT,
    action       TEXT NOT NULL,
    target       TEXT,
    outcome      INTEGER NOT NULL,
    detail       TEXT
) STRICT;

-- The last entry of the audit trail. A writer locks this row, so entries are chained one by one.
CREATE TABLE audit_head (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    hash   BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, number, hash) VALUES (1, 0, zeroblob(32));

-- Counted in the transaction that uses the number, so order of numbers is order of commits.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('status', 0);

CREATE TABLE setting (
    organization BLOB NOT NULL,
    name         TEXT NOT NULL,
    value        TEXT NOT NULL,
    updated_at   INTEGER NOT NULL,
    updated_by   TEXT NOT NULL,
    PRIMARY KEY (organization, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    name       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
