-- What the jobs do, in tables of the run's own. No constraint keeps a second effect out: it would be seen.
CREATE TABLE chaos_account (name text PRIMARY KEY, balance numeric(14, 2) NOT NULL);
CREATE TABLE chaos_order (job uuid NOT NULL, number integer NOT NULL);
CREATE TABLE chaos_transfer (
    job uuid NOT NULL,
    number integer NOT NULL,
    child uuid NOT NULL,
    durable_child boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE chaos_child (job uuid NOT NULL, parent uuid NOT NULL);
