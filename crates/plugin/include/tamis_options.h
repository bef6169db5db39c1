/* tamis_options.h - reading the options of a stage in C, and whether bytes are UTF-8.
 *
 * `open` gets the options as JSON text. The host has checked them against the schema of the stage, so their types are
 * right; an option that the user has not given is not in it, and the fallback counts. Values of options of the top
 * level are read; `tamis_option` gives the JSON of any of them.
 *
 * Licence: MIT OR Apache-2.0.
 */
#ifndef TAMIS_OPTIONS_H
#define TAMIS_OPTIONS_H

#include <stdlib.h>
#include <string.h>

#include "tamis_plugin.h"

#if defined(__GNUC__)
#define TAMIS_UNUSED __attribute__((unused))
#else
#define TAMIS_UNUSED
#endif

/* The end of a JSON string whose quotation mark is at `at`: behind the other one. */
static size_t tamis_json_string_end(tamis_str json, size_t at) {
  for (at++; at < json.len && json.ptr[at] != '"'; at++)
    if (json.ptr[at] == '\\') at++;
  return at < json.len ? at + 1 : json.len;
}

/* The end of the JSON value at `at`. */
static size_t tamis_json_value_end(tamis_str json, size_t at) {
  size_t depth = 0;
  while (at < json.len) {
    uint8_t byte = json.ptr[at];
    if (byte == '"') {
      at = tamis_json_string_end(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (byte == ',' || byte == '}' || byte == ']' || byte <= ' ')) return at;
    if (byte == '{' || byte == '[') depth++;
    if ((byte == '}' || byte == ']') && --depth == 0) return at + 1;
    at++;
  }
  return json.len;
}

/* The JSON text of an option. Returns 1 if it is given, else 0. */
TAMIS_UNUSED static int tamis_option(tamis_str options, const char *name, tamis_str *value) {
  size_t length = strlen(name), at = 0;
  while (at < options.len && options.ptr[at] != '{') at++;
  for (at++; at < options.len;) {
    while (at < options.len && options.ptr[at] != '"') at++;
    if (at >= options.len) break;
    size_t end = tamis_json_string_end(options, at);
    int is_it = end - at == length + 2 && memcmp(options.ptr + at + 1, name, length) == 0;
    for (at = end; at < options.len && (options.ptr[at] == ':' || options.ptr[at] <= ' '); at++) {}
    end = tamis_json_value_end(options, at);
    if (is_it) {
      value->ptr = options.ptr + at;
      value->len = end - at;
      return 1;
    }
    at = end;
  }
  return 0;
}

/* An option that is a number. */
TAMIS_UNUSED static double tamis_option_number(tamis_str options, const char *name, double fallback) {
  char digits[64];
  tamis_str value;
  if (!tamis_option(options, name, &value) || value.len == 0 || value.len >= sizeof digits) return fallback;
  memcpy(digits, value.ptr, value.len);
  digits[value.len] = '\0';
  return strtod(digits, NULL);
}

/* An option that is a whole number. */
TAMIS_UNUSED static int64_t tamis_option_integer(tamis_str options, const char *name, int64_t fallback) {
  char digits[64];
  tamis_str value;
  if (!tamis_option(options, name, &value) || value.len == 0 || value.len >= sizeof digits) return fallback;
  memcpy(digits, value.ptr, value.len);
  digits[value.len] = '\0';
  return (int64_t)strtoll(digits, NULL, 10);
}

/* An option that is true or false. */
TAMIS_UNUSED static int tamis_option_bool(tamis_str options, const char *name, int fallback) {
  tamis_str value;
  if (!tamis_option(options, name, &value) || value.len == 0) return fallback;
  return value.ptr[0] == 't';
}

/* The number in four hexadecimal digits. */
static uint32_t tamis_json_unit(const uint8_t *digits) {
  uint32_t unit = 0;
  for (int at = 0; at < 4; at++) {
    uint8_t digit = digits[at];
    unit = unit << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  return unit;
}

/* Writes a character as UTF-8; returns how many bytes it takes. */
static size_t tamis_put_utf8(char *out, uint32_t c) {
  if (c < 0x80) return out[0] = (char)c, (size_t)1;
  if (c < 0x800) return out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), (size_t)2;
  if (c < 0x10000)
    return out[0] = (char)(0xE0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)),
           (size_t)3;
  return out[0] = (char)(0xF0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), out[2] = (char)(0x80 | (c >> 6 & 63)),
         out[3] = (char)(0x80 | (c & 63)), (size_t)4;
}

/* An option that is a string, as UTF-8 with a NUL behind it, to be freed; NULL: there is no memory left. */
TAMIS_UNUSED static char *tamis_option_string(tamis_str options, const char *name, const char *fallback) {
  tamis_str value;
  if (!tamis_option(options, name, &value) || value.len < 2 || value.ptr[0] != '"') {
    char *copy = (char *)malloc(strlen(fallback) + 1);
    return copy == NULL ? NULL : strcpy(copy, fallback);
  }
  char *text = (char *)malloc(value.len);
  size_t n = 0;
  if (text == NULL) return NULL;
  for (size_t at = 1; at + 1 < value.len; at++) {
    if (value.ptr[at] != '\\') {
      text[n++] = (char)value.ptr[at];
      continue;
    }
    uint8_t escape = value.ptr[++at];
    if (escape == 'u' && at + 4 < value.len) {
      uint32_t c = tamis_json_unit(value.ptr + at + 1);
      at += 4;
      if (c >= 0xD800 && c < 0xDC00 && at + 6 < value.len && value.ptr[at + 1] == '\\') {
        c = 0x10000 + ((c - 0xD800) << 10) + (tamis_json_unit(value.ptr + at + 3) - 0xDC00);
        at += 6;
      }
      n += tamis_put_utf8(text + n, c);
    } else {
      static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
      const char *found = strchr(from, escape);
      text[n++] = found == NULL ? (char)escape : to[found - from];
    }
  }
  text[n] = '\0';
  return text;
}

/* Whether bytes are UTF-8, which every text handed to the host must be: no lone continuation, nothing cut off, nothing
 * written longer than it need be, no half of a surrogate pair, nothing beyond U+10FFFF. */
TAMIS_UNUSED static int tamis_is_utf8(tamis_str text) {
  for (size_t at = 0; at < text.len;) {
    uint8_t first = text.ptr[at++];
    if (first < 0x80) continue;
    size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4 || text.len - at < more) return 0;
    uint8_t second = text.ptr[at];
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F))
      return 0;
    for (size_t end = at + more; at < end; at++)
      if ((text.ptr[at] & 0xC0) != 0x80) return 0;
  }
  return 1;
}

#endif
