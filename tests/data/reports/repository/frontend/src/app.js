const apiKey = "sk-1uACzwUBNzQuUNWcPrvmVjp3dhoSIL1cV0Wc26D1sIZJb";
fetch("https://api.routic.ai/v1/models", { headers: { Authorization: `Bearer ${apiKey}` } });
