-- When a certificate is to be judged again although nobody has said anything new of its object.
ALTER TABLE certificate ADD COLUMN due INTEGER;
CREATE INDEX certificate_due ON certificate (due) WHERE due IS NOT NULL;
-- Of a user on a device in Jamf Pro the object's lower half is the user. The device is the upper
-- half, which the index of objects finds as a range.
CREATE INDEX certificate_jamf_user ON certificate (substr(object, 9)) WHERE kind IN (9, 10);

-- What rules hold against certificates, and what stands by hand beside it. Both together are the
-- standing in certificate; where there is no row here, that one is by hand.
CREATE TABLE certificate_rule (
    id            INTEGER PRIMARY KEY REFERENCES certificate (id),
    standing      INTEGER NOT NULL,
    reason        INTEGER,
    since         INTEGER NOT NULL,
    rule          TEXT NOT NULL,
    lasting       INTEGER NOT NULL,
    recorded_at   INTEGER NOT NULL,
    facts         TEXT NOT NULL,
    hand_standing INTEGER NOT NULL,
    hand_reason   INTEGER,
    hand_since    INTEGER
) STRICT;
CREATE INDEX certificate_rule_recorded ON certificate_rule (recorded_at, rule);

-- What a person has to decide on, all of it at once.
CREATE TABLE brake_batch (
    id         INTEGER PRIMARY KEY,
    state      INTEGER NOT NULL,
    opened_at  INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT
) STRICT;
CREATE UNIQUE INDEX brake_batch_one_open ON brake_batch (state) WHERE state = 0;

-- What rules would have done if the brake had not held it back.
CREATE TABLE held_back (
    id       INTEGER PRIMARY KEY REFERENCES certificate (id),
    batch    INTEGER NOT NULL REFERENCES brake_batch (id),
    held_at  INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    reason   INTEGER,
    since    INTEGER NOT NULL,
    rule     TEXT NOT NULL,
    lasting  INTEGER NOT NULL,
    facts    TEXT NOT NULL
) STRICT;
CREATE INDEX held_back_batch ON held_back (batch, id);

-- What a directory has to be told of an enrollment.
CREATE TABLE notice (
    number         INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    endpoint       BLOB NOT NULL,
    directory      BLOB NOT NULL,
    organization   BLOB NOT NULL,
    department     BLOB,
    serial         BLOB,
    transaction_id BLOB NOT NULL,
    payload        BLOB,
    created_at     INTEGER NOT NULL,
    state          INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    next_attempt   INTEGER NOT NULL,
    last_error     TEXT,
    ended_at       INTEGER
) STRICT;
CREATE INDEX notice_due ON notice (next_attempt) WHERE state = 0;
CREATE INDEX notice_ended ON notice (ended_at) WHERE ended_at IS NOT NULL;

-- What a directory has asked to be revoked and was not told the outcome of.
CREATE TABLE revocation_request (
    directory BLOB NOT NULL,
    context   TEXT NOT NULL,
    serial    TEXT NOT NULL,
    taken_at  INTEGER NOT NULL,
    outcome   TEXT,
    PRIMARY KEY (directory, context)
) STRICT, WITHOUT ROWID;

-- Up to where changes of objects were judged.
INSERT INTO counter (name, value) VALUES ('tether', 0);
