-- Runs that are there already stay as they are. %(runs)s: a JSON array of objects, by the names of the columns.
INSERT INTO bgjobs_jobrun ({columns})
SELECT {columns} FROM json_populate_recordset(NULL::bgjobs_jobrun, %(runs)s)
ON CONFLICT (key) DO NOTHING
