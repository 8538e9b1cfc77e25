CREATE TABLE ca (
    id             BIGINT PRIMARY KEY,
    organization   BYTEA NOT NULL,
    department     BYTEA,
    name           TEXT COLLATE "C" NOT NULL,
    state          SMALLINT NOT NULL,
    key_identifier BYTEA NOT NULL UNIQUE,
    key_reference  TEXT COLLATE "C" NOT NULL,
    request        BYTEA,
    certificate    BYTEA,
    chain          BYTEA,
    not_before     BIGINT,
    not_after      BIGINT,
    created_at     BIGINT NOT NULL,
    activated_at   BIGINT,
    retired_at     BIGINT
);
CREATE UNIQUE INDEX ca_one_current ON ca (organization) WHERE state = 2;

CREATE TABLE ra_certificate (
    id            BIGINT PRIMARY KEY,
    ca            BIGINT NOT NULL REFERENCES ca (id),
    organization  BYTEA NOT NULL,
    department    BYTEA,
    state         SMALLINT NOT NULL,
    certificate   BYTEA NOT NULL,
    key_reference TEXT COLLATE "C" NOT NULL,
    not_before    BIGINT NOT NULL,
    not_after     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- What a status answer reads comes first. The certificate's bytes and fingerprint live in
-- certificate_der, so that rows stay short and, once inserted, change only in columns without an
-- index.
CREATE TABLE certificate (
    id                     BIGINT PRIMARY KEY,
    serial                 BYTEA NOT NULL,
    ca                     BIGINT NOT NULL REFERENCES ca (id),
    standing               SMALLINT NOT NULL DEFAULT 0,
    kind                   SMALLINT NOT NULL,
    object                 BYTEA NOT NULL,
    directory              BYTEA,
    source                 SMALLINT NOT NULL,
    endpoint               BYTEA NOT NULL,
    organization           BYTEA NOT NULL,
    department             BYTEA,
    not_before             BIGINT NOT NULL,
    not_after              BIGINT NOT NULL,
    issued_at              BIGINT NOT NULL,
    reason                 SMALLINT,
    since                  BIGINT,
    invalidity_date        BIGINT,
    crl_partition          INTEGER NOT NULL,
    status_sequence        BIGINT,
    revoked_by             TEXT COLLATE "C",
    revocation_recorded_at BIGINT,
    certificate_until      BIGINT,
    profile                TEXT COLLATE "C" NOT NULL,
    spki_sha256            BYTEA,
    subject                TEXT COLLATE "C",
    common_name            TEXT COLLATE "C",
    upn                    TEXT COLLATE "C",
    requester              TEXT COLLATE "C",
    alternative_names      TEXT COLLATE "C"
);
CREATE UNIQUE INDEX certificate_serial ON certificate (serial);
CREATE INDEX certificate_object ON certificate (object) WHERE directory IS NOT NULL;
CREATE INDEX certificate_common_name ON certificate (lower(common_name))
    WHERE common_name IS NOT NULL;
CREATE INDEX certificate_upn ON certificate (lower(upn)) WHERE upn IS NOT NULL;
CREATE INDEX certificate_end ON certificate (not_after, id);
-- Covers what a CRL needs, so that building one reads nothing but this index.
CREATE INDEX certificate_revoked ON certificate
    (ca, not_after, serial, crl_partition, standing, reason, since, invalidity_date)
    WHERE standing <> 0;
-- Walks those that are not good from the newest on.
CREATE INDEX certificate_not_good ON certificate (id) WHERE standing <> 0;
CREATE INDEX certificate_changed ON certificate (status_sequence)
    WHERE status_sequence IS NOT NULL;

CREATE TABLE certificate_der (
    id          BIGINT PRIMARY KEY REFERENCES certificate (id),
    fingerprint BYTEA NOT NULL,
    kept_until  BIGINT,
    der         BYTEA NOT NULL
);
CREATE INDEX certificate_der_fingerprint ON certificate_der (fingerprint);
CREATE INDEX certificate_der_kept_until ON certificate_der (kept_until)
    WHERE kept_until IS NOT NULL;

CREATE TABLE certificate_count (
    organization BYTEA NOT NULL,
    department   BYTEA NOT NULL,
    kind         SMALLINT NOT NULL,
    standing     SMALLINT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (organization, department, kind, standing)
);

CREATE TABLE enrollment (
    id             BIGINT PRIMARY KEY,
    endpoint       BYTEA NOT NULL,
    transaction_id BYTEA NOT NULL,
    organization   BYTEA NOT NULL,
    department     BYTEA,
    signer_sha256  BYTEA NOT NULL,
    csr_sha256     BYTEA NOT NULL,
    csr            BYTEA,
    context        TEXT COLLATE "C",
    subject        TEXT COLLATE "C",
    renews         BYTEA,
    address        TEXT COLLATE "C",
    received_at    BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    state          SMALLINT NOT NULL,
    certificate    BIGINT,
    decided_by     TEXT COLLATE "C",
    decided_at     BIGINT,
    reason         TEXT COLLATE "C"
);
CREATE UNIQUE INDEX enrollment_transaction ON enrollment (endpoint, transaction_id);
CREATE INDEX enrollment_pending ON enrollment (id) WHERE state = 0;

CREATE TABLE crl_number (
    ca            BIGINT NOT NULL REFERENCES ca (id),
    crl_partition INTEGER NOT NULL,
    number        BIGINT NOT NULL,
    PRIMARY KEY (ca, crl_partition)
);

CREATE TABLE crl (
    ca              BIGINT NOT NULL REFERENCES ca (id),
    crl_partition   INTEGER NOT NULL,
    kind            SMALLINT NOT NULL,
    number          BIGINT NOT NULL,
    base            BIGINT,
    organization    BYTEA NOT NULL,
    department      BYTEA,
    this_update     BIGINT NOT NULL,
    next_update     BIGINT NOT NULL,
    status_sequence BIGINT NOT NULL,
    entries         BIGINT NOT NULL,
    der             BYTEA NOT NULL,
    PRIMARY KEY (ca, crl_partition, kind, number)
);

CREATE TABLE audit (
    number       BIGINT PRIMARY KEY,
    hash         BYTEA NOT NULL,
    at           BIGINT NOT NULL,
    organization BYTEA NOT NULL,
    department   BYTEA,
    actor        TEXT COLLATE "C" NOT NULL,
    address      TEXT COLLATE "C",
    action       TEXT COLLATE "C" NOT NULL,
    target       TEXT COLLATE "C",
    outcome      SMALLINT NOT NULL,
    detail       TEXT COLLATE "C"
);

-- The last entry of the audit trail. A writer locks this row, so entries are chained one by one.
CREATE TABLE audit_head (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL,
    hash   BYTEA NOT NULL
);
INSERT INTO audit_head (id, number, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- Counted in the transaction that uses the number, so order of numbers is order of commits.
CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('status', 0);

CREATE TABLE setting (
    organization BYTEA NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    value        TEXT COLLATE "C" NOT NULL,
    updated_at   BIGINT NOT NULL,
    updated_by   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, name)
);

CREATE TABLE lease (
    name       TEXT COLLATE "C" PRIMARY KEY,
    owner      TEXT COLLATE "C" NOT NULL,
    fence      BIGINT NOT NULL,
    held_until BIGINT NOT NULL
);
