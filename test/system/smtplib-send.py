"""Sends one message with Python's smtplib: what to say stands in argv[1] as JSON, the message (CR LF) on stdin."""
import json
import smtplib
import ssl
import sys

job = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
CHUNK_OCTETS = 60_000


def without_check():
    """The certificate of the tests is signed by nobody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


with smtplib.SMTP(job["host"], job["port"], "smtplib.example.org", source_address=(job["source"], 0)) as smtp:
    if job["tls"]:
        smtp.starttls(context=without_check())
    smtp.ehlo()
    if not job["chunking"]:
        smtp.sendmail(job["from"], [job["to"]], message, job["mailOptions"], job["rcptOptions"])
        sys.exit(0)
    # smtplib has no BDAT of its own.
    for code, text in (smtp.mail(job["from"], job["mailOptions"]), smtp.rcpt(job["to"], job["rcptOptions"])):
        if code != 250:
            sys.exit(f"{code} {text!r}")
    for at in range(0, len(message), CHUNK_OCTETS):
        chunk = message[at : at + CHUNK_OCTETS]
        last = " LAST" if at + CHUNK_OCTETS >= len(message) else ""
        smtp.putcmd(f"BDAT {len(chunk)}{last}")
        smtp.send(chunk)
        code, text = smtp.getreply()
        if code != 250:
            sys.exit(f"{code} {text!r}")
