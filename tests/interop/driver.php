<?php
// Writes and reads items with PHP's memcached extension, as requests on standard input ask.
//
//     php driver.php CLIENT SERVER...
//
// CLIENT is a name in the match below, SERVER is host:port:weight. README.md describes the requests.

declare(strict_types=1);

$arguments = array_slice($argv, 1);
$name = array_shift($arguments);
$client = new Memcached();
$options = match ($name) {
    'php-memcached' => [],
    'php-memcached-consistent' => [Memcached::OPT_DISTRIBUTION => Memcached::DISTRIBUTION_CONSISTENT],
    'php-memcached-libketama' => [Memcached::OPT_LIBKETAMA_COMPATIBLE => true],
};
$client->setOptions($options);
foreach ($arguments as $server) {
    [$host, $port, $weight] = explode(':', $server);
    $client->addServer($host, (int) $port, (int) $weight);
}

function value_of(string $kind, string $data): mixed
{
    return match ($kind) {
        'text', 'bytes' => $data,
        'integer' => (int) $data,
        'boolean' => $data === 'true',
    };
}

function description_of(mixed $value): string
{
    [$kind, $data] = match (true) {
        is_bool($value) => ['boolean', $value ? 'true' : 'false'],
        is_int($value) => ['integer', (string) $value],
        // PHP has one type for text and bytes.
        is_string($value) => ['bytes', $value],
    };
    return $kind . ' ' . bin2hex($data);
}

function answer(Memcached $client, string $request): string
{
    $words = explode(' ', $request);
    $key = hex2bin($words[1]);
    if ($words[0] === 'set') {
        $stored = $client->set($key, value_of($words[2], hex2bin($words[3])));
        return $stored ? 'stored' : 'error ' . $client->getResultMessage();
    }
    $value = $client->get($key);
    return match ($client->getResultCode()) {
        Memcached::RES_SUCCESS => description_of($value),
        Memcached::RES_NOTFOUND => 'missing',
        default => 'error ' . $client->getResultMessage(),
    };
}

while (($line = fgets(STDIN)) !== false) {
    echo str_replace("\n", ' ', answer($client, rtrim($line, "\n"))), "\n";
}
