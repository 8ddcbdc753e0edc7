"""The web app of Impasto as a Hugging Face Space, with limits that suit two shared CPUs."""

from impasto.cli import main

LIMITS = (
    "--optimize-size 512 --network-size 1024 --print-size 2048 --max-steps 200 --max-seconds 180 "
    "--max-waiting 10"
)

if __name__ == "__main__":
    raise SystemExit(main(["app", "--host", "0.0.0.0", *LIMITS.split()]))
