/**
 * state-schema — the tables of the state file, and their version
 *
 * `known` has one row for each client, network, pool or try; `about` one row about all of them: how many there are, so
 * that missing ones are noticed, when they were written last, and which names they have (privacy.log_ip). The view `readable` is for people:
 *
 *   sqlite3 -box state.db 'SELECT * FROM readable LIMIT 20'
 *
 * There is no index by age: keeping it costs a third of the rows that can be written in a second, and only the
 * start and the pruning want it, which can sort and walk.
 */

/** The version of all this; a file with another one is set aside. */
export const STATE_VERSION = 1;

/** "Slui", so that a file of another program is not taken for ours. */
export const APPLICATION_ID = 0x536c_7569;

export const schema = `
  CREATE TABLE known (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    seen  INTEGER NOT NULL,
    first INTEGER NOT NULL,
    mark  TEXT NOT NULL,
    until INTEGER NOT NULL,
    score INTEGER NOT NULL,
    words BLOB NOT NULL,
    sum   INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
  ) WITHOUT ROWID;
  CREATE TABLE about (rows INTEGER NOT NULL, saved INTEGER NOT NULL, sum INTEGER NOT NULL, names TEXT NOT NULL);
  INSERT INTO about VALUES (0, 0, 0, '');
  CREATE VIEW readable AS
    SELECT kind, name, datetime(seen, 'unixepoch') AS seen, datetime(first, 'unixepoch') AS first, score, mark,
      CASE WHEN mark = '' THEN '' WHEN until = 0 THEN 'for ever' ELSE datetime(until, 'unixepoch') END AS until
    FROM known;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${STATE_VERSION};
`;

export const queries = {
  update:
    'UPDATE known SET seen = ?3, first = ?4, mark = ?5, until = ?6, score = ?7, words = ?8, sum = ?9 WHERE kind = ?1 AND name = ?2',
  insert: 'INSERT INTO known VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)',
  removeHosts: "DELETE FROM known WHERE kind = 'host'",
  remove: 'DELETE FROM known WHERE kind = ?1 AND name = ?2',
  about: 'UPDATE about SET rows = ?1, saved = ?2, sum = ?3, names = ?4',
  count: 'SELECT count(*) AS count FROM known',
  readAbout: 'SELECT rows, saved, sum, names FROM about',
  byAge: 'SELECT kind, name, words, sum, seen FROM known ORDER BY seen',
  forward: 'SELECT kind, name, words, sum, seen FROM known ORDER BY kind, name',
  backward: 'SELECT kind, name, words, sum, seen FROM known ORDER BY kind DESC, name DESC',
  walk: 'SELECT kind, name, seen, mark, until FROM known WHERE (kind, name) > (?1, ?2) ORDER BY kind, name LIMIT ?3',
  ageOfNth: 'SELECT seen FROM known ORDER BY seen DESC LIMIT 1 OFFSET ?1',
} as const;
