-- Which site this is, for copies of it (src/store/transfer.rs).
CREATE TABLE site (
    id       INTEGER PRIMARY KEY CONSTRAINT ck_site_id CHECK (id = 1),
    -- Drawn at random: tells this database from every other, not 0.
    identity INTEGER NOT NULL,
    -- 0 where the site began here. In a copy, and in a backup, a number of its own: positions in the
    -- order of commits carry it, so that those of the original mean nothing here.
    lineage  INTEGER NOT NULL DEFAULT 0,
    -- The identity of the original while a copy is not finished. Nobody may work with it then.
    copy_of  INTEGER
) STRICT;
INSERT INTO site (id, identity) VALUES (1, 1 + abs(random() % 4503599627370495));
