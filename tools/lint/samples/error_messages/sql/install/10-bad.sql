CREATE FUNCTION chatopt.bad() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'This is bad.';
END $$;
