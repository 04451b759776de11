#pragma once
/** Values of JSON and CSV on a stream.  Local; errors are the stream's. */
#include <stdio.h>

void tutti_json_text(FILE *out, const char *text); // quoted
void tutti_json_number(FILE *out, double value);   // shortest that reads back; null where it is not finite
void tutti_csv_number(FILE *out, double value);    // the same; empty where it is not finite
