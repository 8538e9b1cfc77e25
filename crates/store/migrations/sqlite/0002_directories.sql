-- The directories whose objects certificates follow. Rows of objects name them by number.
CREATE TABLE directory (
    number       INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    organization BLOB NOT NULL,
    department   BLOB,
    name         TEXT NOT NULL,
    added_at     INTEGER NOT NULL
) STRICT;

-- What directories said of their objects. Rows are appended; what is looked for by the million, the
-- key, is an index of short entries. The other id is Graph's of a device in Entra ID, and Entra ID's of
-- one in Intune; the user name is the user principal name of a user in Entra ID.
CREATE TABLE directory_object (
    id           INTEGER PRIMARY KEY,
    directory    INTEGER NOT NULL REFERENCES directory (number),
    kind         INTEGER NOT NULL,
    object       BLOB NOT NULL,
    presence     INTEGER NOT NULL,
    learnt       INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    last_told    INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    first_seen   INTEGER,
    absent_since INTEGER,
    other_id     BLOB,
    user_name    TEXT,
    email        TEXT,
    properties   TEXT
) STRICT;
CREATE UNIQUE INDEX directory_object_key ON directory_object (directory, kind, object);
CREATE UNIQUE INDEX directory_object_changed ON directory_object (sequence);
CREATE INDEX directory_object_other_id ON directory_object (other_id) WHERE other_id IS NOT NULL;
CREATE INDEX directory_object_user_name ON directory_object (user_name)
    WHERE user_name IS NOT NULL;
CREATE INDEX directory_object_email ON directory_object (email) WHERE email IS NOT NULL;
CREATE INDEX directory_object_absent ON directory_object (directory, kind) WHERE presence = 0;
CREATE INDEX directory_object_never_seen ON directory_object (id) WHERE first_seen IS NULL;

-- How far the mirror has come with each kind of object.
CREATE TABLE directory_feed (
    directory     INTEGER NOT NULL REFERENCES directory (number),
    kind          INTEGER NOT NULL,
    phase         INTEGER NOT NULL,
    cursor        TEXT,
    sweep         INTEGER NOT NULL,
    swept         INTEGER NOT NULL,
    round_started INTEGER,
    as_of         INTEGER,
    completed_at  INTEGER,
    seen          INTEGER NOT NULL,
    total         INTEGER,
    proved_to     INTEGER,
    trouble       TEXT,
    trouble_since INTEGER,
    served        INTEGER NOT NULL,
    demanded      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (directory, kind)
) STRICT, WITHOUT ROWID;

-- Names that a directory was asked for and did not know.
CREATE TABLE directory_missing (
    directory INTEGER NOT NULL REFERENCES directory (number),
    kind      INTEGER NOT NULL,
    asked_by  INTEGER NOT NULL,
    name      TEXT NOT NULL,
    learnt    INTEGER NOT NULL,
    PRIMARY KEY (directory, kind, asked_by, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX directory_missing_learnt ON directory_missing (learnt);

INSERT INTO counter (name, value) VALUES ('object', 0);
