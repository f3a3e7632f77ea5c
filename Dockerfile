# hostfit as a container: `docker build -t hostfit . && docker run -p 8501:8501 hostfit`.
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /app

# The packages change seldom: their layer is built from the lock alone. Its modules are compiled
# once here, as the user of the app may write nothing.
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --compile --requirement requirements.txt

COPY . .
RUN python -m compileall -q . \
    && useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin hostfit

USER 10001
# Everything listens inside the container; its files never change, so nobody watches them.
ENV STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_SERVER_FILE_WATCHER_TYPE=none
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]

CMD ["python", "serve.py", "--server.port=8501"]
