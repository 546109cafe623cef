using System.Globalization;
using System.Text.Json;

namespace CcmFhir.Functions;

/// <summary>What the Functions host calls a timer or queue function with.</summary>
/// <param name="Data">The trigger's value; a queue message as the JSON that it holds.</param>
/// <param name="DequeueCount">How often the message was delivered, this time included; 1 where the host does not say.</param>
internal sealed record Invocation(JsonElement Data, int DequeueCount)
{
    /// <summary>Reads the body of the host's request.</summary>
    /// <exception cref="InvalidDataException">It is no such body.</exception>
    public static async Task<Invocation> ReadAsync(Stream body, CancellationToken cancel)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(body, cancellationToken: cancel);
            var data = document.RootElement.GetProperty("Data").EnumerateObject().First().Value.Clone();
            // The host writes a message as JSON text inside a string; depending on its version, once or twice.
            for (var wrapped = 0; wrapped < 2 && data.ValueKind == JsonValueKind.String; wrapped++)
            {
                using var inner = JsonDocument.Parse(data.GetString()!);
                data = inner.RootElement.Clone();
            }
            return new Invocation(data, Count(document.RootElement));
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException(
                "The request is no invocation of the Functions host, or its message is no JSON.",
                fault
            );
        }
    }

    // A number, or its text, or that text as JSON once more.
    private static int Count(JsonElement invocation) =>
        invocation.TryGetProperty("Metadata", out var metadata)
        && metadata.ValueKind == JsonValueKind.Object
        && metadata.TryGetProperty("DequeueCount", out var count)
        && int.TryParse(count.ToString().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : 1;
}
