-- An entry that the person took back has the `n` of the entry that says so (type 8, without an
-- item). Both stay, so that the log has no gaps and the event is known when it comes again.
ALTER TABLE interactions ADD COLUMN retracted_by bigint;

-- What people did and stand by: for all who read what was done rather than the log.
CREATE VIEW standing_interactions AS
    SELECT * FROM interactions WHERE retracted_by IS NULL AND type <> 8;
