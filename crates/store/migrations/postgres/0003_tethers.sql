-- When a certificate is to be judged again although nobody has said anything new of its object.
ALTER TABLE certificate ADD COLUMN due BIGINT;
CREATE INDEX certificate_due ON certificate (due) WHERE due IS NOT NULL;
-- Of a user on a device in Jamf Pro the object's lower half is the user. The device is the upper
-- half, which the index of objects finds as a range.
CREATE INDEX certificate_jamf_user ON certificate (substr(object, 9)) WHERE kind IN (9, 10);

-- What rules hold against certificates, and what stands by hand beside it. Both together are the
-- standing in certificate; where there is no row here, that one is by hand.
CREATE TABLE certificate_rule (
    id            BIGINT PRIMARY KEY REFERENCES certificate (id),
    standing      SMALLINT NOT NULL,
    reason        SMALLINT,
    since         BIGINT NOT NULL,
    rule          TEXT COLLATE "C" NOT NULL,
    lasting       SMALLINT NOT NULL,
    recorded_at   BIGINT NOT NULL,
    facts         TEXT COLLATE "C" NOT NULL,
    hand_standing SMALLINT NOT NULL,
    hand_reason   SMALLINT,
    hand_since    BIGINT
);
CREATE INDEX certificate_rule_recorded ON certificate_rule (recorded_at, rule);

-- What a person has to decide on, all of it at once.
CREATE TABLE brake_batch (
    id         BIGINT PRIMARY KEY,
    state      SMALLINT NOT NULL,
    opened_at  BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT COLLATE "C"
);
CREATE UNIQUE INDEX brake_batch_one_open ON brake_batch (state) WHERE state = 0;

-- What rules would have done if the brake had not held it back.
CREATE TABLE held_back (
    id       BIGINT PRIMARY KEY REFERENCES certificate (id),
    batch    BIGINT NOT NULL REFERENCES brake_batch (id),
    held_at  BIGINT NOT NULL,
    standing SMALLINT NOT NULL,
    reason   SMALLINT,
    since    BIGINT NOT NULL,
    rule     TEXT COLLATE "C" NOT NULL,
    lasting  SMALLINT NOT NULL,
    facts    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX held_back_batch ON held_back (batch, id);

-- What a directory has to be told of an enrollment.
CREATE TABLE notice (
    number         BIGINT PRIMARY KEY,
    id             BYTEA NOT NULL UNIQUE,
    endpoint       BYTEA NOT NULL,
    directory      BYTEA NOT NULL,
    organization   BYTEA NOT NULL,
    department     BYTEA,
    serial         BYTEA,
    transaction_id BYTEA NOT NULL,
    payload        BYTEA,
    created_at     BIGINT NOT NULL,
    state          SMALLINT NOT NULL,
    attempts       INTEGER NOT NULL,
    next_attempt   BIGINT NOT NULL,
    last_error     TEXT COLLATE "C",
    ended_at       BIGINT
);
CREATE INDEX notice_due ON notice (next_attempt) WHERE state = 0;
CREATE INDEX notice_ended ON notice (ended_at) WHERE ended_at IS NOT NULL;

-- What a directory has asked to be revoked and was not told the outcome of.
CREATE TABLE revocation_request (
    directory BYTEA NOT NULL,
    context   TEXT COLLATE "C" NOT NULL,
    serial    TEXT COLLATE "C" NOT NULL,
    taken_at  BIGINT NOT NULL,
    outcome   TEXT COLLATE "C",
    PRIMARY KEY (directory, context)
);

-- Up to where changes of objects were judged.
INSERT INTO counter (name, value) VALUES ('tether', 0);
