using System.Globalization;
using System.Text.Json;

namespace CcmFhir.Options;

/// <summary>One JSON object of settings, read property by property, so that a misspelt one is refused and named.</summary>
internal sealed class SettingsObject
{
    private readonly JsonElement json;
    private readonly string path;
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    /// <summary>Starts reading.</summary>
    /// <param name="json">The object.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <exception cref="InvalidDataException">Not an object.</exception>
    public SettingsObject(JsonElement json, string path)
    {
        this.json = json;
        this.path = path;
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"'{path}' must be an object.");
        }
    }

    /// <summary>A fault of one property.</summary>
    public InvalidDataException Wrong(string name, string text) => new($"'{path}.{name}' {text}.");

    /// <summary>A string; null when it is not there.</summary>
    public string? Text(string name)
    {
        var value = Take(name);
        return value?.ValueKind switch
        {
            null => null,
            JsonValueKind.String when value.Value.GetString() is { Length: > 0 } text => text,
            _ => throw Wrong(name, "must be a string that is not empty"),
        };
    }

    /// <summary>True or false.</summary>
    public bool Flag(string name, bool absent) =>
        Take(name)?.ValueKind switch
        {
            null => absent,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, "must be true or false"),
        };

    /// <summary>True or false; null when it is not there.</summary>
    public bool? Flag(string name) =>
        Take(name)?.ValueKind switch
        {
            null => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, "must be true or false"),
        };

    /// <summary>A whole number from 1 on, or the word <c>none</c> (0); null when it is not there.</summary>
    public int? Cap(string name) =>
        Take(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } word when word.GetString() == "none" => 0,
            { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var cap) && cap is > 0 and <= 1000 =>
                cap,
            _ => throw Wrong(name, "must be a whole number from 1 to 1000, or 'none'"),
        };

    /// <summary>A whole number between two bounds, both inclusive.</summary>
    public int Whole(string name, int absent, int least, int most)
    {
        if (Take(name) is not { } value)
        {
            return absent;
        }
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            && number >= least
            && number <= most
            ? number
            : throw Wrong(
                name,
                string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {least} to {most}")
            );
    }

    /// <summary>Seconds, fractions allowed, between two bounds, both inclusive.</summary>
    public TimeSpan Seconds(string name, double absent, double least, double most)
    {
        if (Take(name) is not { } value)
        {
            return TimeSpan.FromSeconds(absent);
        }
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number)
            && number >= least
            && number <= most
            ? TimeSpan.FromSeconds(number)
            : throw Wrong(
                name,
                string.Create(CultureInfo.InvariantCulture, $"must be a number of seconds from {least} to {most}")
            );
    }

    /// <summary>One of a few words.</summary>
    public T Word<T>(string name, T absent, params (string Word, T Value)[] words)
    {
        if (Text(name) is not { } text)
        {
            return absent;
        }
        foreach (var (word, value) in words)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }
        throw Wrong(name, $"is '{text}'; it must be one of {string.Join(", ", words.Select(word => word.Word))}");
    }

    /// <summary>An object; null when it is not there.</summary>
    public JsonElement? Object(string name)
    {
        var value = Take(name);
        return value is null or { ValueKind: JsonValueKind.Object } ? value : throw Wrong(name, "must be an object");
    }

    /// <summary>An array; null when it is not there.</summary>
    public JsonElement? Array(string name)
    {
        var value = Take(name);
        return value is null or { ValueKind: JsonValueKind.Array } ? value : throw Wrong(name, "must be an array");
    }

    /// <summary>A decimal number between two bounds, both inclusive.</summary>
    public decimal Number(string name, decimal absent, decimal least, decimal most)
    {
        if (Take(name) is not { } value)
        {
            return absent;
        }
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetDecimal(out var number)
            && number >= least
            && number <= most
            ? number
            : throw Wrong(
                name,
                string.Create(CultureInfo.InvariantCulture, $"must be a number from {least} to {most}")
            );
    }

    /// <summary>A path, made absolute from the folder of the practice file; null when it is not there.</summary>
    public string? File(string name, string folder) =>
        Text(name) is { } file ? Path.GetFullPath(Path.Combine(folder, file)) : null;

    /// <summary>Where a secret comes from; null when it is not there. Secrets themselves do not stand in practice files.</summary>
    public string? Secret(string name, string folder)
    {
        var source = Text(name);
        return source switch
        {
            null => null,
            ['e', 'n', 'v', ':', _, ..] => source,
            ['f', 'i', 'l', 'e', ':', .. var file] => "file:" + Path.GetFullPath(Path.Combine(folder, file)),
            _ => throw Wrong(
                name,
                "must say where the secret is, 'env:NAME' or 'file:PATH'; a secret does not stand in a practice file"
            ),
        };
    }

    /// <summary>An absolute address over TLS (or on the loopback interface), without query, fragment and slash at the end.</summary>
    public Uri Address(string name, string text)
    {
        if (
            !Uri.TryCreate(text.TrimEnd('/'), UriKind.Absolute, out var address)
            || address.Scheme is not ("https" or "http")
            || address.Query.Length > 0
            || address.Fragment.Length > 0
            || address.UserInfo.Length > 0
        )
        {
            throw Wrong(name, "must be an absolute https address without user, query and fragment");
        }
        return address.Scheme == "https" || address.IsLoopback
            ? address
            : throw Wrong(name, "must be an https address: patient data does not travel in the clear");
    }

    /// <summary>Refuses what nobody asked for.</summary>
    public void RefuseUnknown()
    {
        foreach (var property in json.EnumerateObject())
        {
            if (!known.Contains(property.Name))
            {
                throw Wrong(property.Name, $"is not known; known are {string.Join(", ", known)}");
            }
        }
    }

    private JsonElement? Take(string name)
    {
        known.Add(name);
        return json.TryGetProperty(name, out var value) ? value : null;
    }
}
