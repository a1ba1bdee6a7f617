/*
 * libpq.c: makes the calls read from standard input through libpq, every parameter as text without a type.
 *
 * Of each line it takes the SQL and its arguments, and writes the line of the result (see drivers.t).
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMostArguments = 16, kLongestArgument = 1024 };

/* An array's elements, parted by a unit separator, as an array literal. */
static const char *literal(char *elements, char *buffer)
{
	char *out = buffer;
	*out++ = '{';
	if (*elements == '\x1d')		/* of no elements */
		elements = NULL;
	for (char *element; (element = strsep(&elements, "\x1f")) != NULL;) {
		if (out[-1] != '{')
			*out++ = ',';
		if (strcmp(element, "\\N") == 0) {
			out = stpcpy(out, "NULL");
			continue;
		}
		*out++ = '"';
		for (; *element != '\0'; element++) {
			if (*element == '"' || *element == '\\')
				*out++ = '\\';
			*out++ = *element;
		}
		*out++ = '"';
	}
	strcpy(out, "}");
	return buffer;
}

static void print_result(const PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		printf("error %s\t%s", state != NULL ? state : "none", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	} else {
		for (int row = 0; row < PQntuples(result); row++)
			for (int column = 0; column < PQnfields(result); column++)
				printf("%s%s", column > 0 ? "|" : row > 0 ? ";" : "",
					PQgetisnull(result, row, column) ? "null" : PQgetvalue(result, row, column));
	}
	putchar('\n');
}

int main(void)
{
	static char line[65536], literals[kMostArguments][kLongestArgument];
	PGconn *connection = PQconnectdb("");
	if (PQstatus(connection) != CONNECTION_OK) {
		fputs(PQerrorMessage(connection), stderr);
		return 1;
	}
	while (fgets(line, sizeof line, stdin) != NULL) {
		const char *values[kMostArguments];
		int count = 0;
		char *rest = line;
		line[strcspn(line, "\n")] = '\0';
		strsep(&rest, "\t");		/* how keys are passed: here always as text */
		const char *sql = strsep(&rest, "\t");
		for (char *argument; count < kMostArguments && (argument = strsep(&rest, "\t")) != NULL; count++) {
			if (strchr("cmis", argument[0]) != NULL)
				values[count] = literal(argument + 1, literals[count]);
			else
				values[count] = strcmp(argument + 1, "\\N") == 0 ? NULL : argument + 1;
		}
		PGresult *result = PQexecParams(connection, sql, count, NULL, values, NULL, NULL, 0);
		print_result(result);
		PQclear(result);
	}
	PQfinish(connection);
	return 0;
}
