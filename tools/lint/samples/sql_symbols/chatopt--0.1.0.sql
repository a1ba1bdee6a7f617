CREATE FUNCTION chatopt.there() RETURNS void
    AS 'MODULE_PATHNAME', 'chatopt_there' LANGUAGE c;
CREATE FUNCTION chatopt.not_there() RETURNS void
    AS 'MODULE_PATHNAME', 'chatopt_not_there' LANGUAGE c;
